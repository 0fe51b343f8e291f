/** A line of a stream, or what is wrong with it. */
export interface Line {
  /** From 1, lines without anything in them included. */
  readonly number: number;
  /** The line without its end; null if it is not UTF-8 or longer than allowed. */
  readonly text: string | null;
  /** Why there is no text. */
  readonly fault: "encoding" | "length" | null;
}

const NEWLINE = 0x0a;

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

/**
 * Reads newline-delimited text as it arrives, without ever holding more than one chunk and the line that it ends in.
 *
 * @param maxBytes the longest line; of a longer one nothing is kept, and reading goes on after its end
 * @param maxLines how many lines to give at once at most
 * @returns lines that hold something, in groups: what has come is not kept waiting for what has not
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  { maxBytes, maxLines }: { maxBytes: number; maxLines: number },
): AsyncGenerator<Line[]> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let number = 1;
  const group: Line[] = [];
  const take = (part: Uint8Array) => {
    length += part.length;
    if (length <= maxBytes) parts.push(part);
    else parts = [];
  };
  const end = () => {
    const line = length > 0 ? read(number, parts, length, maxBytes) : null;
    if (line && line.text?.trim() !== "") group.push(line);
    parts = [];
    length = 0;
    number++;
  };
  const flush = () => group.splice(0, group.length);

  for await (const chunk of stream) {
    let start = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline !== -1; newline = chunk.indexOf(NEWLINE, start)) {
      take(chunk.subarray(start, newline));
      end();
      if (group.length === maxLines) yield flush();
      start = newline + 1;
    }
    take(chunk.slice(start));
    if (group.length > 0) yield flush();
  }
  end();
  if (group.length > 0) yield flush();
}
