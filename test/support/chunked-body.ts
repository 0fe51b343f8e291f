import { once } from "node:events";
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { RunningWorker } from "./worker.ts";

/** Options of a request with a chunked body. */
interface ChunkedOptions {
  readonly path?: string;
  /** The default is the Worker's key with every scope; null sends none. */
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

/** A request whose body has not ended. */
interface OpenRequest {
  readonly request: ClientRequest;
  readonly answer: Promise<{ status: number; body: string }>;
}

/** Begins a request with a chunked body. Its headers and first bytes are sent; whoever calls ends or destroys it. */
export function openChunked(worker: RunningWorker, begin: string, options: ChunkedOptions = {}): OpenRequest {
  const { path = "/v1/predict", key = worker.adminKey, headers, agent = new Agent() } = options;
  const request = httpRequest(new URL(path, worker.url).href, {
    method: "POST",
    agent,
    headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }), ...headers },
  });
  const answer = once(request, "response").then(async (events) => {
    const [response] = events as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: await text(response) };
  });
  // An answer may come before the body's end, and a destroyed request has none.
  request.on("error", () => {});
  answer.catch(() => {});
  request.write(begin);
  return { request, answer };
}

/** Sends a body in two chunks, and returns the answer. */
export async function sendChunked(worker: RunningWorker, body: string, options: ChunkedOptions = {}) {
  const { request, answer } = openChunked(worker, body.slice(0, 20), options);
  request.end(body.slice(20));
  return await answer;
}
