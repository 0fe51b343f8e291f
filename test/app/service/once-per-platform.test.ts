import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningWorker, startWorker } from "../../support/worker.ts";

const CALLERS = 8;
const REQUESTS_EACH = 100;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ main: "test/app/service/once-per-platform-worker.ts" });
});
afterAll(() => worker.close());

const answerTo = async (path: string) => await (await worker.request("POST", path, { body: {} })).text();

it("gives every request that waits for a failing load the load's error, in an answer of its own", async () => {
  const answers: string[] = [];
  const caller = async () => {
    for (let sent = 0; sent < REQUESTS_EACH; sent++) answers.push(await answerTo("/failing"));
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  expect(new Set(answers)).toEqual(new Set(["the load failed"]));
});

it("loads again for all waiting requests if the platform has dropped a load", async () => {
  const answers = await Promise.all(Array.from({ length: 3 }, () => answerTo("/dropped")));
  expect(answers).toEqual(Array(3).fill("attempt 2"));
});
