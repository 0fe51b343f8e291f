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
 * Reads the test split of a JSON Lines file, plain or gzip, in the file's order.
 *
 * @param limit the maximum number of records
 * @throws CommandError if a line is not a record, or the file has no test split
 */
export async function readTestSplit(path: string, limit = Number.POSITIVE_INFINITY): Promise<DataRecord[]> {
  const records: DataRecord[] = [];
  for (const { line, number } of await readTextLines(path)) {
    if (records.length >= limit) break;
    const record = parseRecord(line, `${path}:${number}`);
    if (record.split === "test") records.push(record);
  }
  if (records.length === 0)
    throw new CommandError(
      `${path} has no test split.`,
      'Add records with "split": "test", or name another data file.',
    );
  return records;
}

function parseRecord(line: string, location: string): DataRecord {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch {
    throw new CommandError(
      `${location} is not a labelled text.`,
      'Write each line as {"profile", "text", "text_pair"?, "label", "split"}.',
    );
  }
}
