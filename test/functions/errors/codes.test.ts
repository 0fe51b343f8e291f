import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProblemSchema } from "../../../functions/http/problem.ts";
import { PROBLEM_CODES, type ProblemCode, statusOf } from "../../../functions/http/problem-codes.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { startWorker } from "../../support/worker.ts";
import { type Ground, REQUEST, writeTask } from "./ground.ts";
import { type ApiDocument, pathOf, readApi, unknownOptions } from "./options.ts";
import { provocations } from "./provocations.ts";
import { predictWith } from "./tokens.ts";

let ground: Ground;
let api: ApiDocument;

beforeAll(async () => {
  const worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  ground = { worker, bundle: await readBundle(DEFAULT_BUNDLE) };
  await writeTask(ground, REQUEST.task);
  api = await readApi(worker);
});
afterAll(() => ground.worker.close());

/** Returns the problem details of an answer, after checking status and headers. */
async function problemIn(response: Response, code: ProblemCode): Promise<unknown> {
  const problem = await response.json<object>();
  expect({ status: response.status, ...problem }).toMatchObject({ status: statusOf(code), code });
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(problem).toHaveProperty("instance", `urn:xpeft:request:${response.headers.get("x-request-id")}`);
  return problem;
}

describe("every code", () => {
  it.each(PROBLEM_CODES)("%s can be provoked", async (code) => {
    const answer = await provocations[code](ground);
    const problem = answer instanceof Response ? await problemIn(answer, code) : answer;
    const { detail, hint, error, instance, ...rest } = ProblemSchema.parse(problem);
    expect(rest).toMatchObject({ code, status: statusOf(code), type: `urn:xpeft:problem:${code}` });
    expect(instance).toMatch(/^urn:xpeft:request:\S/);
    expect(detail).toMatch(/\S/);
    expect(hint).toMatch(/\S/);
    expect(error).toBe(detail);
    // A line of a stream, and an answer that was read by hand, do not tell their route.
    const path = answer instanceof Response && answer.url ? pathOf(api, new URL(answer.url).pathname) : "";
    expect(unknownOptions(api, path, hint)).toEqual([]);
  });

  it("comes from the fault alone: without it, the same requests are answered", async () => {
    const answers = [await ground.worker.predict(REQUEST), await predictWith({})(ground)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});

it("the code, docs/errors.md and the provocations have the same codes", async () => {
  const docs = await readFile("docs/errors.md", "utf8");
  const rows = [...docs.matchAll(/^\| `(\w+)` \| (\d{3}) \| .*\S.* \| .*\S.* \|$/gm)];
  const documented = rows.map(([, code, status]) => `${code} ${status}`);
  expect(documented.sort()).toEqual(PROBLEM_CODES.map((code) => `${code} ${statusOf(code)}`).sort());
  expect(Object.keys(provocations).sort()).toEqual([...PROBLEM_CODES].sort());
});
