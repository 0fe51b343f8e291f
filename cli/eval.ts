import { writeFile } from "node:fs/promises";
import { SingleBar } from "cli-progress";
import { type Command, Option } from "commander";
import { wholeNumber } from "./arguments.ts";
import { type ApiInput, createClient } from "./client.ts";
import { type DataRecord, readTestSplit } from "./records.ts";
import { type Scored, scorePredictions } from "./score.ts";

interface EvalOptions {
  readonly data: string;
  readonly task: string;
  readonly limit?: number;
  readonly url: string;
  readonly key?: string;
  readonly concurrency: number;
  readonly pair?: boolean;
  readonly predictions?: string;
}

interface Indexed extends DataRecord {
  readonly index: number;
}

/** Texts of one profile, as many as go into one request. */
interface Batch {
  readonly profile: string;
  readonly records: Indexed[];
}

/** What the API takes in one request, with room for the request's other fields. */
const MAX_INPUTS = 64;
const MAX_INPUT_BYTES = 60_000;

const bytesOf = (input: ApiInput): number => Buffer.byteLength(JSON.stringify(input)) + 1;

function inBatches(records: readonly Indexed[], inputOf: (record: DataRecord) => ApiInput): Batch[] {
  return [...Map.groupBy(records, ({ profile }) => profile)].flatMap(([profile, own]) => {
    const batches: Batch[] = [];
    let bytes = 0;
    for (const record of own) {
      const size = bytesOf(inputOf(record));
      const last = batches.at(-1);
      if (last && last.records.length < MAX_INPUTS && bytes + size <= MAX_INPUT_BYTES) {
        last.records.push(record);
        bytes += size;
      } else {
        batches.push({ profile, records: [record] });
        bytes = size;
      }
    }
    return batches;
  });
}

async function evaluate(options: EvalOptions): Promise<void> {
  const client = createClient(options.url, options.key);
  const labels = await client.labels(options.task);
  const records = (await readTestSplit(options.data, options.limit)).map((record, index) => ({ ...record, index }));
  const inputOf = ({ text, text_pair }: DataRecord): ApiInput =>
    options.pair && text_pair?.trim() ? { text, textPair: text_pair } : { text };

  const bar = new SingleBar({ stream: process.stderr, format: "{bar} {value}/{total} texts, {eta_formatted} left" });
  const scored: Scored[] = [];
  const waiting = inBatches(records, inputOf);
  const start = performance.now();
  bar.start(records.length, 0);
  try {
    const worker = async (): Promise<void> => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
        const inputs = batch.records.map(inputOf);
        const predicted = await client.predict({ task: options.task, profile: batch.profile, inputs });
        for (const [place, { index, profile, label }] of batch.records.entries()) {
          scored.push({ index, profile, label, predicted: predicted[place] ?? "" });
        }
        bar.increment(batch.records.length);
      }
    };
    await Promise.all(Array.from({ length: options.concurrency }, worker));
  } finally {
    bar.stop();
  }
  const seconds = Math.round(performance.now() - start) / 1000;
  scored.sort((a, b) => a.index - b.index);

  if (options.predictions !== undefined) {
    await writeFile(options.predictions, scored.map((one) => `${JSON.stringify(one)}\n`).join(""));
  }
  console.log(JSON.stringify({ task: options.task, ...scorePredictions(scored, labels), seconds }));
}

/** `xpeft eval`: sends a data file's test split through a running Worker and prints how many labels it found. */
export function registerEval(program: Command): void {
  program
    .command("eval")
    .description("send the test split of a data file through a running Worker; ends with one line of JSON")
    .requiredOption("--data <file>", "labelled text, JSON Lines, zipped if it ends in .gz")
    .requiredOption("--task <name>", "the task to ask")
    .option("--limit <n>", "only the first n texts of the split", wholeNumber(1))
    .option("--url <url>", "where the Worker is", "http://localhost:8787")
    .addOption(new Option("--key <key>", "a key that may predict, if the Worker wants one").env("XPEFT_KEY"))
    .option("--concurrency <n>", "requests at a time", wholeNumber(1), 2)
    .option("--pair", "send text_pair as the second text")
    .option("--predictions <file>", "write every prediction there, one line of JSON each, in the order of the data")
    .action(evaluate);
}
