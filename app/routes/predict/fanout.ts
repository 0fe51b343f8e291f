import { createRoute, type z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { permittedPrefix, requireProfile, requireScope } from "../../../src/auth/access.ts";
import { StreamAborted } from "../../../src/lib/ndjson.ts";
import type { FanOutPage } from "../../../src/serving/fan-out-pages.ts";
import type { FanOutProfiles } from "../../../src/serving/fan-out-rows.ts";
import type { AppEnv } from "../../http/env.ts";
import { lineProblems, NDJSON, streamAnswer } from "../../http/ndjson.ts";
import { problemResponses } from "../../http/problem.ts";
import { createRouter } from "../../http/router.ts";
import { etagOf, GenerationHeaders, Preconditions, preconditionOf } from "../../http/row-schemas.ts";
import { ACCESS_PROBLEMS, byKey, whileAllowed } from "../../middleware/access.ts";
import { BODY_PROBLEMS, fanOutBody } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { withRegistry } from "../../middleware/registry.ts";
import { SHARD_PROBLEMS } from "../../service/databases.ts";
import { ENGINE_PROBLEMS, serviceOf } from "../../service/service.ts";
import { rowSourceOf } from "./answer.ts";
import { FanOutAnswerLine, FanOutBody } from "./fanout-schemas.ts";

const route = createRoute({
  ...byKey("predict", noQuery, fanOutBody, withRegistry),
  method: "post",
  path: "/v1/fanout",
  operationId: "fanOut",
  tags: ["Predict"],
  summary: "Label one text under many profiles",
  description:
    'The answer has a line for each profile that passes the filter, by id or in the order of the ids. After every 500 profiles, and at the end, a line has the counts. A prefix and "all" need a key with the scope list too.',
  request: {
    headers: Preconditions.pick({ "if-match": true }),
    body: { required: true, content: { "application/json": { schema: FanOutBody } } },
  },
  responses: {
    200: {
      description:
        "A line for each profile. If the last line is not one with done: true, the answer was interrupted: send `after`; with `top`, the same request again.",
      headers: GenerationHeaders,
      content: { [NDJSON]: { schema: FanOutAnswerLine } },
    },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...BODY_PROBLEMS,
      ...ENGINE_PROBLEMS,
      ...SHARD_PROBLEMS,
      "unknown_task",
      "unknown_label",
      "bundle_mismatch",
      "bundle_without_tail",
      "empty_text",
      "text_too_long",
      "generation_mismatch",
      "write_conflict",
    ),
  },
});

/** Returns the profiles that a caller may and wants to use. A caller who may only predict must know their ids. */
function permittedProfiles(
  c: Context<AppEnv>,
  { task, profiles }: Pick<z.infer<typeof FanOutBody>, "task" | "profiles">,
): FanOutProfiles {
  const access = c.get("access");
  if (Array.isArray(profiles)) {
    for (const profile of profiles) requireProfile(access, task, profile);
    return profiles;
  }
  requireScope(access, "list");
  return { prefix: permittedPrefix(access, task, profiles === "all" ? "" : profiles.prefix) };
}

// biome-ignore lint/correctness/useYield: it ends before the first line
async function* failing(error: Error): AsyncGenerator<string> {
  throw error;
}

/** `POST /v1/fanout`: labels one text under thousands of profiles. */
export const fanOutRoutes = createRouter().openapi(route, async (c) => {
  const { text, textPair, profiles: _profiles, ...request } = c.req.valid("json");
  const profiles = permittedProfiles(c, c.req.valid("json"));
  const { signal } = c.req.raw;
  const { fanOut } = await serviceOf(c.env.platform, c.executionCtx);
  const opened = await fanOut(
    {
      ...request,
      input: { text, ...(textPair !== undefined && { textPair }) },
      profiles,
      expected: preconditionOf(c.req.valid("header")),
    },
    { ...rowSourceOf(c, null), profiles: async () => (await c.get("registry")()).profiles },
    signal,
  ).catch((error: unknown) => {
    if (error instanceof StreamAborted) return error;
    throw error;
  });
  if (opened instanceof StreamAborted) return streamAnswer(c, failing(opened));
  const { taskGeneration, pages } = opened;
  const problemOfLine = lineProblems(c);

  function textOf({ lines, counts }: FanOutPage): string {
    // With many fan-outs at once, the pages of all would fill the isolate.
    const answers = lines
      .splice(0)
      .map((line) => ("error" in line ? { profile: line.profile, error: problemOfLine(line.error) } : line));
    return [...answers, counts].map((line) => `${JSON.stringify(line)}\n`).join("");
  }

  async function* answer(): AsyncGenerator<string> {
    for await (const page of whileAllowed(c, pages)) {
      c.set("texts", page.counts.profiles - page.counts.failed);
      yield textOf(page);
    }
  }
  c.header("etag", etagOf(taskGeneration));
  return streamAnswer(c, answer());
});
