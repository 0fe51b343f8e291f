import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CommandError } from "../node/errors.ts";

/**
 * Writes text to a file as it arrives, or to standard output for `-`. Until the file is complete, its name ends in `.part`.
 *
 * @throws CommandError if the file cannot be written; whatever the text's source throws
 */
export async function writeOutput(path: string, text: Iterable<string> | AsyncIterable<string>): Promise<void> {
  if (path === "-") {
    await pipeline(Readable.from(text), process.stdout, { end: false });
    return;
  }
  const part = `${path}.part`;
  try {
    await pipeline(Readable.from(text), createWriteStream(part));
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    if (cause instanceof Error && "syscall" in cause)
      throw new CommandError(`${path} cannot be written.`, "Name a file in an existing folder that you may write to.", {
        cause,
      });
    throw cause;
  }
}
