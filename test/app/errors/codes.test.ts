import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProblemSchema } from "../../../app/http/problem.ts";
import { PROBLEM_CODES, type ProblemCode, statusOf } from "../../../app/http/problem-codes.ts";
import { type Fixture, REQUEST, startFixture } from "./fixture.ts";
import { pathOf, unknownOptions } from "./options.ts";
import { provocations } from "./provocations.ts";
import { predictWith } from "./tokens.ts";

let fixture: Fixture;

beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.worker.close());

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
    const answer = await provocations[code](fixture);
    const problem = answer instanceof Response ? await problemIn(answer, code) : answer;
    const { detail, hint, error, instance, ...rest } = ProblemSchema.parse(problem);
    expect(rest).toMatchObject({ code, status: statusOf(code), type: `urn:xpeft:problem:${code}` });
    expect(instance).toMatch(/^urn:xpeft:request:\S/);
    expect(detail).toMatch(/\S/);
    expect(hint).toMatch(/\S/);
    expect(error).toBe(detail);
    const { api } = fixture;
    // A line of a stream has no URL, nor has a response that did not come from fetch.
    const path = answer instanceof Response && answer.url ? pathOf(api, new URL(answer.url).pathname) : "";
    expect(unknownOptions(api, path, hint)).toEqual([]);
  });

  it("comes from the fault alone: without it, the same requests are answered", async () => {
    const answers = [await fixture.worker.predict(REQUEST), await predictWith({})(fixture)];
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
