import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Client, unwrap } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { parseWholeNumber } from "../arguments.ts";
import { createProgressBar } from "../progress.ts";
import { listTasks } from "../registry/tasks.ts";
import { addServiceOptions, openService, type ServiceOptions } from "../service.ts";
import { type DataRecord, readTestSplit } from "./records.ts";
import { type ScoredPrediction, scorePredictions } from "./score.ts";

interface EvalOptions extends ServiceOptions {
  readonly data: string;
  readonly task: string;
  readonly limit?: number;
  readonly concurrency: number;
  readonly pair?: boolean;
  readonly predictions?: string;
}

interface Indexed extends DataRecord {
  readonly index: number;
}

/** A text as the API takes it. */
interface ApiInput {
  readonly text: string;
  readonly textPair?: string;
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

/** A task's labels, in the order of its logits. */
async function labelsOf(client: Client, name: string): Promise<string[]> {
  for await (const { task, labels } of listTasks(client)) if (task === name) return labels;
  throw new CommandError(`The Worker has no task "${name}".`, "Push it first: npm run xpeft -- push");
}

async function evaluate(options: EvalOptions): Promise<void> {
  const client = openService(options);
  const labels = await labelsOf(client, options.task);
  const records = (await readTestSplit(options.data, options.limit)).map((record, index) => ({ ...record, index }));
  const inputOf = ({ text, text_pair }: DataRecord): ApiInput =>
    options.pair && text_pair?.trim() ? { text, textPair: text_pair } : { text };

  const progress = createProgressBar("texts", records.length);
  const scored: ScoredPrediction[] = [];
  const waiting = inBatches(records, inputOf);
  const start = performance.now();
  try {
    const worker = async (): Promise<void> => {
      for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
        const inputs = batch.records.map(inputOf);
        const json = { task: options.task, profile: batch.profile, inputs };
        const { predictions } = await unwrap(client.v1.predict.$post({ json }));
        if (predictions.length !== inputs.length) {
          throw new CommandError(
            `${inputs.length} texts were answered with ${predictions.length} labels.`,
            "Is this an xpeft-edge Worker of the same version?",
          );
        }
        for (const [place, { index, profile, label }] of batch.records.entries()) {
          scored.push({ index, profile, label, predicted: predictions[place]?.label ?? "" });
        }
        progress.add(batch.records.length);
      }
    };
    await Promise.all(Array.from({ length: options.concurrency }, worker));
  } finally {
    progress.end();
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
  const command = program
    .command("eval")
    .description("send the test split of a data file through a running Worker; ends with one line of JSON")
    .requiredOption("--data <file>", "labelled text, JSON Lines, zipped if it ends in .gz")
    .requiredOption("--task <name>", "the task to ask")
    .option("--limit <n>", "only the first n texts of the split", parseWholeNumber(1))
    .option("--concurrency <n>", "requests at a time", parseWholeNumber(1), 2)
    .option("--pair", "send text_pair as the second text")
    .option("--predictions <file>", "write every prediction there, one line of JSON each, in the order of the data");
  addServiceOptions(command).action(evaluate);
}
