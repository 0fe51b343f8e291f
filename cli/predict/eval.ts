import type { Command } from "commander";
import { type Client, unwrap } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { isBlank } from "../../src/lib/white-space.ts";
import { findLabel, quoteLabel } from "../../src/profiles/labels.ts";
import { parseWholeNumber } from "../arguments.ts";
import { exampleText } from "../command-line.ts";
import { addWorkerOptions, type WorkerOptions } from "../options.ts";
import { createProgressBar } from "../progress.ts";
import { listTasks } from "../registry/tasks.ts";
import { nameLine } from "../text-line.ts";
import { openClient } from "../worker-client.ts";
import { writeOutput } from "../write-output.ts";
import { type ApiInput, type Batch, makeBatches } from "./batches.ts";
import { type DataRecord, readTestSplit } from "./records.ts";
import { type LabelledPrediction, scorePredictions } from "./score.ts";

interface EvalOptions extends WorkerOptions {
  readonly data: string;
  readonly task: string;
  readonly limit?: number;
  readonly concurrency: number;
  readonly pair?: boolean;
  readonly predictions?: string;
}

/** How many unknown labels are named. */
const MAX_NAMED = 5;

/** Returns a task's labels, in the order of its logits. */
async function readLabels(client: Client, name: string, url: string): Promise<string[]> {
  for await (const { task, labels } of listTasks(client)) if (task === name) return labels;
  throw new CommandError(`${url} has no task "${name}".`, "List its tasks: xpeft tasks list");
}

/** Returns a record with its label as the task has it, if the task has it. */
const withTaskLabel = (record: DataRecord, labels: readonly string[]): DataRecord => ({
  ...record,
  label: labels[findLabel(record.label, labels)] ?? record.label,
});

async function predictBatch(
  client: Client,
  { task, data }: EvalOptions,
  { profile, items }: Batch,
): Promise<LabelledPrediction[]> {
  const inputs = items.map(({ input }) => input);
  const { predictions } = await unwrap(client.v1.predict.$post({ json: { task, profile, inputs } })).catch(
    (error: unknown) => {
      const records = items.map(({ record }) => record);
      throw nameLine(error, records, data);
    },
  );
  if (predictions.length !== inputs.length) {
    throw new CommandError(
      `The Worker answered ${inputs.length} texts with ${predictions.length} labels.`,
      "Check that the Worker and this program have the same version.",
    );
  }
  return items.map(({ index, record }, position) => ({
    index,
    profile,
    label: record.label,
    predicted: predictions[position]?.label ?? "",
  }));
}

/** Predicts all batches, some at a time. Returns the predictions in the order of the data. */
async function predictAll(client: Client, options: EvalOptions, batches: readonly Batch[]) {
  const total = batches.reduce((sum, { items }) => sum + items.length, 0);
  const progress = createProgressBar("texts", total);
  const predictions: LabelledPrediction[] = [];
  const queue = batches.values();
  // The loops share one iterator, so each batch is sent once.
  const loop = async (): Promise<void> => {
    for (const batch of queue) {
      predictions.push(...(await predictBatch(client, options, batch)));
      progress.increment(batch.items.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency }, loop));
  } finally {
    progress.stop();
  }
  return predictions.sort((a, b) => a.index - b.index);
}

/** Reports what makes a score meaningless or other than it seems. @throws CommandError if `--pair` has no effect */
function reportOddities(records: readonly DataRecord[], labels: readonly string[], { data, pair }: EvalOptions): void {
  const pairs = records.filter(({ text_pair }) => text_pair && !isBlank(text_pair)).length;
  if (pair && pairs === 0)
    throw new CommandError(`The test split of ${data} has no text_pair, so --pair has no effect.`, "Leave --pair out.");
  if (!pair && pairs > 0)
    console.error(`${pairs} of ${records.length} texts have a text_pair, which is not sent. To send it, add --pair.`);
  const unknown = records.filter(({ label }) => !labels.includes(label)).map(({ label }) => label);
  if (unknown.length === 0) return;
  const some = [...new Set(unknown)].slice(0, MAX_NAMED).map(quoteLabel);
  console.error(
    `${unknown.length} of ${records.length} texts have labels that the task does not have, such as ${some.join(", ")}. They count as wrong.`,
  );
}

async function evaluate(options: EvalOptions): Promise<void> {
  const { task, data, limit, pair } = options;
  const client = openClient(options);
  const labels = await readLabels(client, task, options.url);
  const toInput = ({ text, text_pair }: DataRecord): ApiInput =>
    pair && text_pair && !isBlank(text_pair) ? { text, textPair: text_pair } : { text };
  const records = (await readTestSplit(data, limit)).map((record) => withTaskLabel(record, labels));
  reportOddities(records, labels, options);
  const batches = makeBatches(records.map((record, index) => ({ index, record, input: toInput(record) })));

  const start = performance.now();
  const predictions = await predictAll(client, options, batches);
  const seconds = Math.round(performance.now() - start) / 1000;
  // Before the file: if that cannot be written, the score is not lost.
  console.log(JSON.stringify({ task, ...scorePredictions(predictions, labels), seconds }));
  if (options.predictions === undefined) return;
  await writeOutput(
    options.predictions,
    predictions.map((prediction) => `${JSON.stringify(prediction)}\n`),
  );
}

const HELP = `
The last line of standard output is JSON: {"task", "n", "micro", "macro", "mae"?, "seconds"}.
  micro  accuracy over all texts, 0 to 1
  macro  mean of the profiles' accuracies, 0 to 1
  mae    mean absolute error, if all labels are numbers
${exampleText("eval --task news --data data/news.jsonl.gz --limit 500")}`;

/** `xpeft eval`: sends a data file's test split through a running Worker and scores the answers. */
export function registerEval(program: Command): void {
  const command = program
    .command("eval")
    .description("label the test split of a data file through a running Worker, and print the accuracy")
    .requiredOption("--data <file>", "labelled texts: JSON Lines or a table, plain or gzip")
    .requiredOption("--task <name>", "name of the task")
    .option("--limit <n>", "use only the first n texts of the split (default: all)", parseWholeNumber(1))
    .option("--concurrency <n>", "requests in flight", parseWholeNumber(1), 2)
    .option("--pair", "send text_pair as the second text")
    .option("--predictions <file>", "write each prediction to this file, as JSON Lines in the order of the data");
  addWorkerOptions(command, ["predict"]).addHelpText("after", HELP).action(evaluate);
}
