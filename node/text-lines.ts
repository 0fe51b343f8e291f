import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { isBlank } from "../src/lib/white-space.ts";
import { CommandError } from "./errors.ts";

/** A line of a text with its number, from 1. */
export interface NumberedLine {
  readonly line: string;
  readonly number: number;
}

/** The first bytes of files, in hex. */
const GZIP = "1f8b";
const ZIP = "504b0304";
const UTF_16 = /^(fffe|feff|00|..00)/;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

const FILE_HINT = "Name an existing file that you may read.";
const GZIP_HINT = "The gzip file is damaged or not whole. Make it again, or copy it again.";
const ARCHIVE_HINT = "Give the text itself. In Excel, save it as CSV UTF-8.";
const encodingHint = (encoding: string) => `Save it as UTF-8, or convert it: iconv -f ${encoding} -t UTF-8 OLD > NEW`;

/** Returns the same bytes. The package's types name no `Buffer`, so that they need no types of Node. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Whether bytes are those of a gzip file. */
export const isGzip = (bytes: Uint8Array): boolean => asBuffer(bytes).toString("hex", 0, 2) === GZIP;

/** Returns how a file is called in errors. */
export const nameOf = (path: string | null): string => path ?? "standard input";

/**
 * Yields the lines of UTF-8 text, plain or gzip, as they arrive (docs/formats.md, "Tables and lines").
 *
 * @param path the file's path; null for standard input
 * @throws CommandError that names the file and, if one is at fault, the line
 */
export async function* readLines(path: string | null): AsyncGenerator<NumberedLine> {
  yield* decodeLines(path === null ? process.stdin : createReadStream(path), nameOf(path));
}

/** Yields the lines of JSON Lines that are not blank. @throws CommandError as {@link readLines} does, and for a JSON array */
export async function* readJsonLines(path: string | null): AsyncGenerator<NumberedLine> {
  let isFirst = true;
  for await (const line of readLines(path)) {
    if (isBlank(line.line)) continue;
    if (isFirst && line.line.trimStart().startsWith("[")) {
      throw new CommandError(
        `${nameOf(path)}:${line.number}: it is a JSON array.`,
        "Write one object a line: jq -c '.[]' OLD > NEW.jsonl",
      );
    }
    isFirst = false;
    yield line;
  }
}

/**
 * Yields the lines of bytes, plain or gzip.
 *
 * @param name what to call them in errors
 */
export async function* decodeLines(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<NumberedLine> {
  try {
    const file = await peek(bytes);
    // Errors reach the consumer of the last stream.
    const { start, chunks } = file.start.startsWith(GZIP)
      ? await peek(pipeline(Readable.from(file.chunks), createGunzip(), () => {}))
      : file;
    if (start === ZIP) {
      throw new CommandError(
        `${name}:1: it is a ZIP archive, such as an Excel workbook, not UTF-8 text.`,
        ARCHIVE_HINT,
      );
    }
    if (UTF_16.test(start)) throw new CommandError(`${name}:1: it is UTF-16, not UTF-8.`, encodingHint("UTF-16"));
    let number = 0;
    for await (const line of splitLines(chunks))
      yield { number: ++number, line: decodeLine(line, `${name}:${number}`) };
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const isDamaged = cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_");
    throw new CommandError(`${name} cannot be read.`, isDamaged ? GZIP_HINT : FILE_HINT, { cause });
  } finally {
    // Standard input that nobody reads any more would keep the process alive until its writer ends.
    if (bytes instanceof Readable) bytes.destroy();
  }
}

/** Returns the first four bytes in hex, and all chunks. */
async function peek(bytes: AsyncIterable<Uint8Array>): Promise<{ start: string; chunks: AsyncIterable<Buffer> }> {
  const rest = bytes[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < 4) {
    const { done, value } = await rest.next();
    if (done) break;
    first = Buffer.concat([first, value]);
  }
  async function* all() {
    yield first;
    for await (const chunk of { [Symbol.asyncIterator]: () => rest }) yield asBuffer(chunk);
  }
  return { start: first.toString("hex", 0, 4), chunks: all() };
}

/** Yields lines without their ends: \n, or \r if there is no \n. */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let hasNewline = false;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)]);
      hasNewline = true;
      parts = [];
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
  }
  const last = Buffer.concat(parts);
  if (last.length === 0) return;
  if (hasNewline) return yield last;
  // Latin-1 has a letter for each byte.
  for (const line of last.toString("latin1").replace(/\r$/, "").split("\r")) yield Buffer.from(line, "latin1");
}

/**
 * Decodes a line. The \r of its end is dropped, and a byte order mark, because a file may be joined from several.
 *
 * @param location file and line, for errors
 */
function decodeLine(bytes: Buffer, location: string): string {
  if (!isUtf8(bytes)) {
    throw new CommandError(
      `${location}: it is not UTF-8 (byte ${validLength(bytes) + 1}).`,
      encodingHint("WINDOWS-1252"),
    );
  }
  const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
  return bytes.toString("utf8", 0, end).replace(/^\uFEFF/, "");
}

/** Returns how many bytes are UTF-8 before the first character that is not. */
function validLength(bytes: Buffer): number {
  let length = 0;
  while (length < bytes.length) {
    const lead = bytes[length] ?? 0;
    const next = length + (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
    if (!isUtf8(bytes.subarray(length, next))) break;
    length = next;
  }
  return length;
}
