import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

const PAUSE_MS = 20;

/** An answer as it arrived. */
interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Returns the body in what follows the headers; null if it is not complete. */
function parseBody(rest: string, headers: ReadonlyMap<string, string>): string | null {
  const length = headers.get("content-length");
  if (length !== undefined) return rest.length < Number(length) ? null : rest;
  const chunks: string[] = [];
  for (let start = 0; ; ) {
    const [line] = /^([0-9a-f]+)\r\n/i.exec(rest.slice(start)) ?? [];
    if (line === undefined) return null;
    const size = Number.parseInt(line, 16);
    if (size === 0) return chunks.join("");
    start += line.length;
    chunks.push(rest.slice(start, start + size));
    start += size + 2;
  }
}

/** Returns the answer in the bytes that have arrived, one character each; null if it is not complete. */
function parseAnswer(bytes: string): RawAnswer | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = bytes.slice(0, end).split("\r\n");
  const [, status = ""] = first.split(" ");
  const headers = new Map(
    lines.map((line) => [line.split(":", 1)[0]?.toLowerCase() ?? "", line.replace(/^[^:]*: */, "")]),
  );
  const rest = bytes.slice(end + 4);
  // An interim answer, such as 100 Continue.
  if (status.startsWith("1")) return parseAnswer(rest);
  const body = parseBody(rest, headers);
  if (body === null) return null;
  const content = Buffer.from(body, "latin1");
  const text = headers.get("content-encoding") === "gzip" ? gunzipSync(content) : content;
  return { status: Number(status), headers, body: text.toString() };
}

/**
 * Sends bytes as they are over a connection of their own, and returns the answer.
 *
 * @param pieces sent one after the other, with a pause before each but the first
 */
export async function sendRaw(url: URL, pieces: readonly string[]): Promise<RawAnswer> {
  const socket: Socket = connect(Number(url.port), url.hostname);
  await once(socket, "connect");
  const answer = Promise.withResolvers<RawAnswer>();
  let received = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => {
    received += chunk;
    const parsed = parseAnswer(received);
    if (parsed) answer.resolve(parsed);
  });
  socket.on("error", answer.reject);
  socket.on("close", () => answer.reject(new Error(`The connection was closed after: ${received}`)));
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await sleep(PAUSE_MS);
    socket.write(piece);
  }
  try {
    return await answer.promise;
  } finally {
    socket.destroy();
  }
}
