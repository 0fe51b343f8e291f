import { XpeftError } from "../errors.ts";

/** A line of a stream, or why it cannot be read. */
export interface Line {
  /** From 1; blank lines count. */
  readonly number: number;
  /** The line without its end; null if it is not UTF-8 or too long. */
  readonly text: string | null;
  /** Why there is no text. */
  readonly fault: "encoding" | "length" | null;
}

/** How lines are grouped. */
export interface LineLimits {
  /** The longest line. A longer one is dropped, and reading continues after its end. */
  readonly maxBytes: number;
  /** The most lines of a group. */
  readonly maxLines: number;
  /** Bytes after which a group is full; its last line may exceed them. */
  readonly groupBytes: number;
}

/** The sender of a stream disconnected before its end. */
export class StreamAborted extends Error {
  constructor(cause: unknown) {
    super("The sender ended the stream early.", { cause });
    this.name = "StreamAborted";
  }
}

const NEWLINE = 0x0a;

/** How long a group waits for more lines. Platforms deliver a body in small chunks, and few large writes are faster. */
const PAUSE_MS = 20;

/** Returns a copy with another length. */
function resized(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes);
  return copy;
}

function decodeLine(number: number, bytes: Uint8Array): Line {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
    return { number, text: text.endsWith("\r") ? text.slice(0, -1) : text, fault: null };
  } catch {
    return { number, text: null, fault: "encoding" };
  }
}

/** Yields the chunks of a stream as they arrive, and null whenever none arrived for a while. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array | null> {
  const reader = stream.getReader();
  try {
    while (true) {
      const next = reader.read().catch((cause) => {
        // Only the service itself throws this: it has no capacity for what arrives.
        if (cause instanceof XpeftError) throw cause;
        throw new StreamAborted(cause);
      });
      let timer: ReturnType<typeof setTimeout> | undefined;
      const pause = new Promise<null>((resolve) => {
        timer = setTimeout(() => resolve(null), PAUSE_MS);
      });
      if ((await Promise.race([next, pause])) === null) yield null;
      const { done, value } = await next;
      clearTimeout(timer);
      if (done) return;
      yield value;
    }
  } finally {
    // The sender learns that nothing more is read.
    await reader.cancel().catch(() => {});
  }
}

/**
 * Reads newline-delimited text as it arrives. Memory holds one group of lines and one chunk of the stream at most.
 *
 * @returns lines that are not blank, in groups: lines that arrived wait up to 20 ms for more
 * @throws StreamAborted if the stream ends early
 */
export async function* readLineGroups(
  stream: ReadableStream<Uint8Array>,
  { maxBytes, maxLines, groupBytes }: LineLimits,
): AsyncGenerator<Line[]> {
  let bytes = new Uint8Array(0);
  let length = 0;
  let number = 1;
  let group: Line[] = [];
  let groupSize = 0;
  const append = (part: Uint8Array) => {
    const end = length + part.length;
    if (end <= maxBytes) {
      // A line may arrive byte by byte, so its parts are not kept as objects of their own.
      if (end > bytes.length) bytes = resized(bytes, Math.min(maxBytes, Math.max(end, 2 * bytes.length)));
      bytes.set(part, length);
    }
    length = end;
  };
  const readLine = (): Line =>
    length > maxBytes ? { number, text: null, fault: "length" } : decodeLine(number, bytes.subarray(0, length));
  const endLine = () => {
    const line = length > 0 ? readLine() : null;
    if (line && line.text?.trim() !== "") {
      group.push(line);
      groupSize += Math.min(length, maxBytes);
    }
    length = 0;
    number++;
  };
  const flush = () => {
    const flushed = group;
    group = [];
    groupSize = 0;
    return flushed;
  };

  for await (const chunk of chunksOf(stream)) {
    if (chunk === null) {
      if (group.length > 0) yield flush();
      continue;
    }
    let start = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, start)) {
      append(chunk.subarray(start, newline));
      endLine();
      if (group.length >= maxLines || groupSize >= groupBytes) yield flush();
      start = newline + 1;
    }
    append(chunk.subarray(start));
  }
  endLine();
  if (group.length > 0) yield flush();
}
