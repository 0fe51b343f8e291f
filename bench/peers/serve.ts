import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { bestLabel, labelLogits, softmax } from "../../src/model/head.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { Answer } from "./peer.ts";

/** What is sent to a peer. */
export interface Asked {
  readonly profile: string;
  readonly text: string;
}

/** The answer that a task's head gives for features, `[d]`. */
export function answerOf(task: NewTask, features: Float32Array, tokens: number): Answer {
  const scores = softmax(labelLogits(task.head, null, features, task.labels.length));
  const best = bestLabel(scores);
  return { label: task.labels[best] ?? "", score: scores[best] ?? 0, tokens };
}

/** Serves `POST /predict` on a free port of this machine alone, and says which on stdout. */
export async function serve(answer: (asked: Asked) => Promise<Answer>): Promise<void> {
  const server = createServer(async (request, response) => {
    let status = 200;
    let body: unknown;
    try {
      body = await answer((await json(request)) as Asked);
    } catch (error) {
      [status, body] = [500, { error: error instanceof Error ? error.message : String(error) }];
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("A port was asked for.");
  console.log(JSON.stringify({ port: address.port }));
}
