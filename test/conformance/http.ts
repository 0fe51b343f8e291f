import { once } from "node:events";
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Runtime } from "./runtime.ts";

// biome-ignore lint/suspicious/noExplicitAny: the answers are what is under test
export type Json = any;

/** Options of a request. The default key has every scope; null sends none. */
export interface AskOptions {
  /** Sent as JSON unless it is text or bytes. */
  readonly body?: unknown;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
}

/** An answer as it arrived, neither decoded nor redirected. */
export interface Answer {
  readonly status: number;
  /** The names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The parsed body. */
  json(): Json;
  /** The parsed lines of JSON Lines. */
  lines(): Json[];
}

// A connection for each request: a server may close one after an answer that came before the body's end.
const agent = new Agent();

/** Begins a request. Whoever calls writes its body and ends it. */
export function open(
  { url, adminKey }: Runtime,
  method: string,
  path: string,
  { key = adminKey, headers = {} }: Omit<AskOptions, "body"> = {},
): ClientRequest {
  const { hostname, port } = url;
  return httpRequest({
    agent,
    hostname,
    port,
    method,
    // As it is: a URL would drop dots and slashes.
    path,
    headers: { ...(key && { authorization: `Bearer ${key}` }), ...headers },
  });
}

/** Waits for an answer's headers. */
export async function headersOf(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

/** Waits for a whole answer. */
export async function answerOf(request: ClientRequest): Promise<Answer> {
  const response = await headersOf(request);
  const bytes = await buffer(response);
  const text = bytes.toString();
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headersDistinct).map(([name, values = []]) => [name, values.join(" | ")]),
    ),
    bytes,
    text,
    json: () => JSON.parse(text),
    lines: () =>
      text === ""
        ? []
        : text
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line)),
  };
}

/** Sends a request and returns the answer. */
export async function ask(
  runtime: Runtime,
  method: string,
  path: string,
  { body, headers = {}, ...rest }: AskOptions = {},
): Promise<Answer> {
  const content = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const type = content !== undefined && { "content-type": "application/json" };
  const length = content !== undefined && { "content-length": String(Buffer.byteLength(content)) };
  const request = open(runtime, method, path, { ...rest, headers: { ...type, ...length, ...headers } });
  const answer = answerOf(request);
  // The answer to a body that is too large may come before its end.
  request.on("error", () => {});
  request.end(content);
  return await answer;
}

export const NDJSON = { "content-type": "application/x-ndjson" };

export const lineOf = (value: object): string => `${JSON.stringify(value)}\n`;
