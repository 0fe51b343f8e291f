import type { DataRecord } from "./records.ts";

/** A text as the API accepts it. */
export interface ApiInput {
  readonly text: string;
  readonly textPair?: string;
}

/** A record with its text for the API and its index in the split. */
export interface BatchItem {
  readonly index: number;
  readonly record: DataRecord;
  readonly input: ApiInput;
}

/** Texts of one profile that fit into one request. */
export interface Batch {
  readonly profile: string;
  readonly items: readonly BatchItem[];
}

/** The API's maximum of texts in a request. */
const MAX_INPUTS = 64;

/** Bytes of a request's texts. The API accepts a little more, for the other fields. */
const MAX_INPUT_BYTES = 60_000;

/** Groups records by profile, and splits each group into batches that the API accepts. */
export function makeBatches(items: readonly BatchItem[]): Batch[] {
  return [...Map.groupBy(items, ({ record }) => record.profile)].flatMap(([profile, group]) =>
    splitBySize(group).map((part) => ({ profile, items: part })),
  );
}

function splitBySize(items: readonly BatchItem[]): BatchItem[][] {
  const parts: BatchItem[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item.input)) + 1;
    const last = parts.at(-1);
    if (last && last.length < MAX_INPUTS && bytes + size <= MAX_INPUT_BYTES) {
      last.push(item);
      bytes += size;
    } else {
      parts.push([item]);
      bytes = size;
    }
  }
  return parts;
}
