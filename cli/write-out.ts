import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CommandError } from "../node/errors.ts";

/**
 * Writes text to a file as it comes, or to standard output for `-`. The file is there once all of it is: until then it has `.part`
 * after its name.
 *
 * @throws CommandError if it cannot be written; whatever the text's source throws
 */
export async function writeOut(path: string, text: Iterable<string> | AsyncIterable<string>): Promise<void> {
  if (path === "-") {
    try {
      await pipeline(Readable.from(text), process.stdout, { end: false });
    } catch (error) {
      // Whoever read has had enough, such as head.
      if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
    }
    return;
  }
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(text), createWriteStream(part));
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    if (cause instanceof Error && "syscall" in cause)
      throw new CommandError(`${path} cannot be written.`, "Name a file in a folder that is there.", { cause });
    throw cause;
  }
}
