/** A line of a stream, or what is wrong with it. */
export interface Line {
  /** From 1, lines without anything in them included. */
  readonly number: number;
  /** The line without its end; null if it is not UTF-8 or longer than allowed. */
  readonly text: string | null;
  /** Why there is no text. */
  readonly fault: "encoding" | "length" | null;
}

/** How lines are gathered. */
export interface LineLimits {
  /** The longest line; of a longer one nothing is kept, and reading goes on after its end. */
  readonly maxBytes: number;
  /** Most lines of a group. */
  readonly maxLines: number;
  /** Bytes after which a group is full; its last line may go beyond. */
  readonly groupBytes: number;
}

/** The sender of a stream has gone before its end. */
export class StreamAborted extends Error {
  constructor(cause: unknown) {
    super("The stream was broken off by its sender.", { cause });
    this.name = "BrokenStream";
  }
}

const NEWLINE = 0x0a;

/** How long a group waits for more lines. Platforms hand a body out in small pieces, and a database likes few writes. */
const PAUSE_MS = 20;

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function read(number: number, parts: readonly Uint8Array[], length: number, maxBytes: number): Line {
  if (length > maxBytes) return { number, text: null, fault: "length" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(joined(parts, length));
    return { number, text: text.endsWith("\r") ? text.slice(0, -1) : text, fault: null };
  } catch {
    return { number, text: null, fault: "encoding" };
  }
}

/** Gives a stream's pieces as they come, and null whenever none has come for a while. */
async function* pieces(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array | null> {
  const reader = stream.getReader();
  try {
    while (true) {
      const next = reader.read().catch((cause) => {
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
    // Whoever takes no more lines lets the sender know.
    await reader.cancel().catch(() => {});
  }
}

/**
 * Reads newline-delimited text as it arrives, without ever holding more than a group of lines and a piece of the stream.
 *
 * @returns lines that hold something, in groups: what has come waits a little for more, but not long
 * @throws BrokenStream if the stream does not come to its end
 */
export async function* readLineGroups(
  stream: ReadableStream<Uint8Array>,
  { maxBytes, maxLines, groupBytes }: LineLimits,
): AsyncGenerator<Line[]> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  let group: Line[] = [];
  let held = 0;
  const take = (part: Uint8Array) => {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts = [];
  };
  const end = () => {
    const line = length > 0 ? read(number, parts, length, maxBytes) : null;
    if (line && line.text?.trim() !== "") {
      group.push(line);
      held += Math.min(length, maxBytes);
    }
    parts = [];
    length = 0;
    number++;
  };
  const flush = () => {
    const full = group;
    group = [];
    held = 0;
    return full;
  };

  for await (const piece of pieces(stream)) {
    if (piece === null) {
      if (group.length > 0) yield flush();
      continue;
    }
    let start = 0;
    for (let newline = piece.indexOf(NEWLINE); newline !== -1; newline = piece.indexOf(NEWLINE, start)) {
      take(piece.subarray(start, newline));
      end();
      if (group.length >= maxLines || held >= groupBytes) yield flush();
      start = newline + 1;
    }
    take(piece.slice(start));
  }
  end();
  if (group.length > 0) yield flush();
}
