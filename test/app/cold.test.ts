import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const REQUEST = { task: "demo", profile: "demo-000", inputs: "Who is there?" };

let worker: RunningWorker;

beforeEach(async () => {
  worker = await startWorker();
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(2));
});
afterEach(() => worker.close());

/** Sends a request without waiting for its response. @returns a function that disconnects */
function begin(): () => void {
  const { hostname, port } = worker.url;
  const body = JSON.stringify(REQUEST);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/predict HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return () => socket.resetAndDestroy();
}

it("answers all concurrent requests to a cold engine", async () => {
  const responses = await Promise.all(Array.from({ length: 8 }, () => worker.predict(REQUEST)));
  const answers = await Promise.all(responses.map((response) => response.json<{ predictions: unknown }>()));
  expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200));
  expect(new Set(answers.map(({ predictions }) => JSON.stringify(predictions))).size).toBe(1);
});

it("answers waiting requests when the first caller disconnects", async () => {
  const disconnect = begin();
  await sleep(100);
  const waiting = Array.from({ length: 3 }, () => worker.predict(REQUEST));
  await sleep(100);
  disconnect();
  for (const response of await Promise.all(waiting)) expect(response.status).toBe(200);
  expect((await worker.get("/healthz")).status).toBe(200);
});
