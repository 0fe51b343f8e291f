import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hintFor, type RouteKind } from "../../../app/http/hints.ts";
import type { ProblemCode } from "../../../app/http/problem-codes.ts";
import { HINTS } from "../../../functions/platform/hints.ts";
import { ERROR_CASES } from "../../support/errors.ts";
import { examplesOf } from "../../support/examples.ts";
import { type Fixture, type Problem, REQUEST, startFixture } from "./fixture.ts";
import { unknownOptions } from "./options.ts";

const ROUTE_KINDS = Object.keys({
  predict: true,
  stream: true,
  fanout: true,
  hf: true,
  tei: true,
  profile: true,
  task: true,
  other: true,
} satisfies Record<RouteKind, true>) as RouteKind[];

/** The one hint that names a command's option: keys are made on the command line only. */
const NAMES_A_COMMAND = "scope_missing";

describe("hints of the API", () => {
  it.each(ERROR_CASES)("$code, $reason: names nothing of the command line", (error) => {
    for (const route of ROUTE_KINDS) {
      const hint = hintFor(error, route, HINTS);
      expect(hint).toMatch(/^\S.*\S$/);
      expect(hint).not.toMatch(/npm run|npm start/);
      if (error.code !== NAMES_A_COMMAND) expect(hint).not.toMatch(/(^|\s)--\w/);
    }
  });
});

describe("every route that can show a code", () => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await startFixture();
  });
  afterAll(() => fixture.worker.close());

  const LONG = "word ".repeat(100);
  const hf = "/v1/hf/{task}/{profile}";
  const tei = "/v1/tei/{task}/{profile}/predict";
  const learn = "/v1/profiles/{task}/{profile}/learn";
  const token = "/v1/profiles/{task}/{profile}/token";
  const examples = examplesOf(4);

  interface Case {
    readonly code: ProblemCode;
    readonly route: string;
    readonly task?: string;
    readonly profile?: string;
    readonly method?: string;
    /** An object is sent as JSON; a string as JSON Lines. */
    readonly body?: object | string;
    readonly query?: string;
    readonly hint: RegExp;
  }

  const CASES: readonly Case[] = [
    {
      code: "text_too_long",
      route: "/v1/predict",
      body: { ...REQUEST, inputs: LONG, truncate: false },
      hint: /leave "truncate" out/,
    },
    {
      code: "text_too_long",
      route: "/v1/predict/stream",
      query: "task=demo&profile=demo-000&truncate=false",
      body: `${JSON.stringify({ text: LONG })}\n`,
      hint: /leave truncate out of the query/,
    },
    {
      code: "text_too_long",
      route: "/v1/fanout",
      body: { task: "demo", text: LONG, profiles: "all", truncate: false },
      hint: /leave "truncate" out/,
    },
    {
      code: "text_too_long",
      route: hf,
      body: { inputs: LONG, parameters: { truncation: false } },
      hint: /leave "truncation" out of the parameters/,
    },
    { code: "text_too_long", route: tei, body: { inputs: LONG }, hint: /send "truncate": true/ },
    { code: "text_too_long", route: tei, body: { inputs: LONG, truncate: false }, hint: /send "truncate": true/ },
    {
      code: "unknown_profile",
      route: "/v1/predict",
      body: { ...REQUEST, profile: "nobody" },
      hint: /"onUnknownProfile": "default"/,
    },
    {
      code: "unknown_profile",
      route: "/v1/predict/stream",
      query: "task=demo&profile=nobody",
      body: '{"text":"a"}\n',
      hint: /onUnknownProfile=default to the query/,
    },
    { code: "unknown_profile", route: hf, profile: "nobody", body: { inputs: "a" }, hint: /GET \/v1\/profiles/ },
    { code: "unknown_profile", route: tei, profile: "nobody", body: { inputs: "a" }, hint: /GET \/v1\/profiles/ },
    { code: "unknown_profile", route: token, profile: "nobody", body: {}, hint: /GET \/v1\/profiles/ },
    {
      code: "unknown_profile",
      route: learn,
      profile: "nobody",
      body: { examples, start: "own", dryRun: true },
      hint: /another start/,
    },
    {
      code: "unknown_profile",
      route: "/v1/profiles/{task}/{profile}",
      method: "GET",
      profile: "nobody",
      hint: /GET \/v1\/profiles/,
    },
    { code: "empty_text", route: hf, body: { inputs: " " }, hint: /Send a text/ },
    {
      code: "empty_text",
      route: learn,
      body: { examples: [...examples, { text: " ", label: "low" }], start: "default", dryRun: true },
      hint: /Leave the example out/,
    },
    { code: "task_has_profiles", route: "/v1/tasks/{task}", method: "DELETE", hint: /profiles=delete/ },
    { code: "unknown_task", route: hf, task: "nothing", body: { inputs: "a" }, hint: /GET \/v1\/tasks/ },
    { code: "unknown_task", route: learn, task: "nothing", body: { examples }, hint: /GET \/v1\/tasks/ },
  ];

  it.each(CASES)(
    "$code at $route",
    async ({ code, route, task = "demo", profile = "demo-000", method = "POST", body, query, hint }) => {
      const path = route.replace("{task}", task).replace("{profile}", profile);
      const headers = { "content-type": typeof body === "string" ? "application/x-ndjson" : "application/json" };
      const response = await fixture.worker.request(method, query ? `${path}?${query}` : path, { body, headers });
      const [first = ""] = (await response.text()).split("\n").filter((line) => line.includes('"code"'));
      const parsed = JSON.parse(first.replace(/^data: /, "")) as Problem | { error: Problem };
      const problem = typeof parsed.error === "string" ? (parsed as Problem) : (parsed as { error: Problem }).error;
      expect(problem).toMatchObject({ code, hint: expect.stringMatching(hint) });
      expect(unknownOptions(fixture.api, route, problem.hint)).toEqual([]);
    },
  );
});
