import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { bestLabel, labelLogits, softmax } from "../../src/model/head.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { Prediction } from "./peer.ts";

/** The body of a peer's request. */
export interface PeerRequest {
  readonly profile: string;
  readonly text: string;
}

/** Returns the prediction of a task's head for features `[d]`. */
export function predictionOf(task: NewTask, features: Float32Array, tokens: number): Prediction {
  const scores = softmax(labelLogits(task, null, features));
  const best = bestLabel(scores);
  return { label: task.labels[best] ?? "", score: scores[best] ?? 0, tokens };
}

/** Serves `POST /predict` on a free port of localhost and prints the port. */
export async function serve(predict: (request: PeerRequest) => Promise<Prediction>): Promise<void> {
  const server = createServer(async (request, response) => {
    let status = 200;
    let body: unknown;
    try {
      body = await predict((await json(request)) as PeerRequest);
    } catch (error) {
      [status, body] = [500, { error: error instanceof Error ? error.message : String(error) }];
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("The server has no port.");
  console.log(JSON.stringify({ port: address.port }));
}
