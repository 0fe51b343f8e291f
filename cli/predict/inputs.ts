import { CommandError } from "../../node/errors.ts";
import { readJsonLines, readLines } from "../../node/text-lines.ts";
import { isBlank } from "../../src/lib/white-space.ts";
import { isSeparatedValues, type Row, readRows } from "../tables/tables.ts";

/** A text as a line of the request. */
export interface PredictInput {
  /** Number of the line that it starts on, from 1. */
  readonly line: number;
  /** The text as the API accepts it, in JSON. */
  readonly json: string;
}

const COLUMNS = {
  needed: ["text"],
  optional: ["text_pair", "profile"],
  hint: "The first line must name the column text, and may name text_pair and profile. If the file has no header, name it .txt.",
};

/**
 * Yields the texts of a file or of standard input: the column `text` of a .csv or .tsv, otherwise lines as they arrive.
 *
 * @param path the file's path; null for standard input
 * @param isJson whether lines are JSON objects
 * @throws CommandError that names file and line, or if standard input is a terminal
 */
export async function* readInputs(path: string | null, isJson: boolean): AsyncGenerator<PredictInput> {
  if (path === null && process.stdin.isTTY) {
    throw new CommandError(
      "There are no texts to label.",
      "Give them as arguments, with --file, or on standard input.",
    );
  }
  if (isJson) {
    for await (const { line, number } of readJsonLines(path)) yield { line: number, json: line };
  } else if (path !== null && isSeparatedValues(path)) {
    for (const { line, fields } of await readRows(path, COLUMNS)) yield { line, json: formatInput(fields) };
  } else {
    for await (const { line, number } of readLines(path)) yield { line: number, json: formatInput({ text: line }) };
  }
}

/** Returns a text as the API accepts it. A blank second text or profile is left out. */
export function formatInput({ text, text_pair, profile }: Row["fields"]): string {
  const given = (value: unknown) => (typeof value === "string" && !isBlank(value) ? value : undefined);
  return JSON.stringify({ text, textPair: given(text_pair), profile: given(profile)?.trim() });
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
