import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import type { RunningWorker } from "./worker.ts";

/** A request whose body does not come whole. */
interface Trickled {
  readonly sent: ClientRequest;
  readonly response: Response;
}

/**
 * Sends the beginning of a body, and waits for the answer.
 *
 * @param options.bytes that the body is said to have
 */
export async function trickle(
  worker: RunningWorker,
  {
    method = "POST",
    path = "/v1/predict",
    begin = "{",
    bytes = 100,
  }: { method?: string; path?: string; begin?: string; bytes?: number } = {},
): Promise<Trickled> {
  const sent = request(new URL(path, worker.url.href).href, {
    method,
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${worker.adminKey}`,
      "content-length": bytes,
    },
  });
  // What comes after the answer may find the connection closed.
  sent.on("error", () => {});
  sent.write(begin);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const response = new Response(await text(answer), { status: answer.statusCode ?? 0, headers });
  return { sent, response };
}
