import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { readTextLines } from "../../node/files.ts";

const recordSchema = z.object({
  profile: z.string(),
  text: z.string(),
  text_pair: z.string().nullish(),
  label: z.string(),
  split: z.string(),
});

/** A labelled text of a data file. */
export type DataRecord = z.infer<typeof recordSchema>;

/**
 * Reads the test split of a JSON Lines file, zipped or plain, in the file's order.
 *
 * @param limit how many records at most
 * @throws CommandError if a line is not a record, or there is no record of the split
 */
export async function readTestSplit(path: string, limit = Number.POSITIVE_INFINITY): Promise<DataRecord[]> {
  const records: DataRecord[] = [];
  for (const { line, number } of await readTextLines(path)) {
    if (records.length >= limit) break;
    const record = parseRecord(line, `${path}:${number}`);
    if (record.split === "test") records.push(record);
  }
  if (records.length === 0) throw new CommandError(`${path} has no test split.`, 'Its records need "split": "test".');
  return records;
}

function parseRecord(line: string, place: string): DataRecord {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch {
    throw new CommandError(
      `${place} is not a record of labelled text.`,
      'A line is {"profile", "text", "text_pair"?, "label", "split"}.',
    );
  }
}
