import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { CommandError } from "../../node/errors.ts";

/**
 * Yields the lines of a file or of standard input as they arrive.
 *
 * @param path the file's path; without it, standard input is read
 * @throws CommandError if the file cannot be read, or standard input is a terminal
 */
export async function* readInputLines(path?: string): AsyncGenerator<string> {
  if (path === undefined) {
    if (process.stdin.isTTY)
      throw new CommandError(
        "There are no texts to label.",
        "Give them as arguments, with --file, or on standard input.",
      );
    yield* createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
    return;
  }
  try {
    yield* (await open(path)).readLines();
  } catch (cause) {
    throw new CommandError(`${path} cannot be read.`, "Name an existing text file.", { cause });
  }
}

/** Yields the items in arrays of `size`; the last array may be shorter. */
export async function* chunk<T>(items: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
