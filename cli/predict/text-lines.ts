import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { CommandError } from "../../node/errors.ts";

/**
 * Lines as they come, of a file or of standard input.
 *
 * @param path the file's; standard input if it is left out
 * @throws CommandError if the file cannot be read, or a person sits at the terminal and has given no text
 */
export async function* inputLines(path?: string): AsyncGenerator<string> {
  if (path === undefined) {
    if (process.stdin.isTTY)
      throw new CommandError("There is no text.", "Give some as arguments, as --file, or on standard input.");
    yield* createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
    return;
  }
  try {
    yield* (await open(path)).readLines();
  } catch (cause) {
    throw new CommandError(`${path} cannot be read.`, "Name a text file that is there.", { cause });
  }
}

/** Puts what comes into groups of `size`, the last one smaller. */
export async function* chunk<T>(all: AsyncIterable<T> | Iterable<T>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const one of all) {
    group.push(one);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
