import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CommandError } from "./errors.ts";

/**
 * Writes text to a file as it comes, or to standard output for `-`. The file is there once all of it is: until then it has `.part`
 * after its name.
 *
 * @throws CommandError if it cannot be written; whatever the text's source throws
 */
export async function writeOut(path: string, text: Iterable<string> | AsyncIterable<string>): Promise<void> {
  if (path === "-") {
    for await (const piece of text) process.stdout.write(piece);
    return;
  }
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(text), createWriteStream(part));
    await rename(part, path);
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause)
      throw new CommandError(`${path} cannot be written.`, "Name a file in a folder that is there.", { cause });
    throw cause;
  }
}
