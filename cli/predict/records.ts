import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { parseRow, readRows } from "../tables/tables.ts";

const recordSchema = z.object({
  profile: z.string().trim(),
  text: z.string(),
  text_pair: z.string().nullish(),
  label: z.string(),
  split: z.string().trim(),
});

/** A labelled text of a data file. */
export interface DataRecord extends z.infer<typeof recordSchema> {
  /** Number of the line that it starts on, from 1. */
  readonly line: number;
}

const HINT =
  "Give each text the fields profile, text, label and split, and text_pair if there is one. All are strings.";

/**
 * Reads the test split of a table, in the file's order.
 *
 * @param limit the maximum number of records
 * @throws CommandError if a row is not a record, or the file has no test split
 */
export async function readTestSplit(path: string, limit = Number.POSITIVE_INFINITY): Promise<DataRecord[]> {
  const needed = ["profile", "text", "label", "split"];
  const rows = await readRows(path, { needed, optional: ["text_pair"], hint: HINT });
  const records = rows
    .map((row) => ({ ...parseRow(recordSchema, row, path, HINT), line: row.line }))
    .filter(({ split }) => split === "test");
  if (records.length === 0)
    throw new CommandError(
      `${path} has no test split.`,
      'Add records with "split": "test", or name another data file.',
    );
  return records.slice(0, limit);
}
