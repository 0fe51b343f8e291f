import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningWorker, startWorker } from "../../support/worker.ts";

const CALLERS = 8;
const REQUESTS_EACH = 200;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ main: "test/functions/platform/failing-load.ts" });
});
afterAll(() => worker.close());

it("gives every request that waits for a failing load the load's error, in an answer of its own", async () => {
  const answers: string[] = [];
  const caller = async () => {
    for (let sent = 0; sent < REQUESTS_EACH; sent++) answers.push(await (await worker.predict({})).text());
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  expect(new Set(answers)).toEqual(new Set(["the load failed"]));
});
