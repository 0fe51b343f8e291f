import { once } from "node:events";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { RunningWorker } from "./worker.ts";

/** A request whose body is incomplete, and its response. */
interface PartialRequest {
  readonly request: ClientRequest;
  readonly response: Response;
}

/**
 * Sends the beginning of a body, and waits for the response.
 *
 * @param options.bytes the Content-Length that the request declares
 */
export async function sendPartialBody(
  worker: RunningWorker,
  {
    method = "POST",
    path = "/v1/predict",
    begin = "{",
    bytes = 100,
  }: { method?: string; path?: string; begin?: string; bytes?: number } = {},
): Promise<PartialRequest> {
  const request = httpRequest(new URL(path, worker.url.href).href, {
    method,
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${worker.adminKey}`,
      "content-length": bytes,
    },
  });
  // A write after the response may find the connection closed.
  request.on("error", () => {});
  request.write(begin);
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  const response = new Response(await text(answer), { status: answer.statusCode ?? 0, headers });
  return { request, response };
}
