import type { Command } from "commander";
import { lines, type Problem, ProblemError } from "../../client/index.ts";
import { nameOf } from "../../node/text-lines.ts";
import { escapeControls } from "../../src/profiles/labels.ts";
import { parseProfileId, parseScore, parseTaskName, parseWholeNumber } from "../arguments.ts";
import { exampleText } from "../command-line.ts";
import { describeEach, EXIT, UsageError } from "../errors.ts";
import { addWorkerOutputOptions, type WorkerOutputOptions } from "../options.ts";
import { createProgressBar, type ProgressBar } from "../progress.ts";
import { isJsonLines } from "../tables/tables.ts";
import { openClient } from "../worker-client.ts";
import { chunk, formatInput, type PredictInput, readInputs } from "./inputs.ts";

interface PredictOptions extends WorkerOutputOptions {
  readonly profile?: string;
  readonly file?: string;
  readonly ndjson?: boolean;
  readonly top?: number;
  readonly scores?: boolean;
  readonly orDefault?: boolean;
  readonly abstainBelow?: number;
}

interface LabelScore {
  readonly label: string;
  readonly score: number;
}

/** A line of the response. */
type PredictionLine =
  | (LabelScore & { readonly line: number; readonly top?: readonly LabelScore[]; readonly abstained?: boolean })
  | { readonly line: number; readonly error: Problem };

/** Texts a request. They take about ten seconds of a Worker's CPU, a third of its default limit. */
const TEXTS_A_REQUEST = 256;

const HELP = `
Input:
  Give the texts as arguments, as lines of --file, or as lines of standard input.
  If the name of --file ends in .csv or .tsv, the texts are its column text. The columns
  text_pair and profile are read too, if there are any.
  With --ndjson each line is an object {"text", "textPair"?, "profile"?}. It is the default
  if the name of --file ends in .ndjson, .jsonl or .json. Blank lines of JSON are skipped.

Output:
  One line for each text, in their order: label, tab, score (0 to 1).
  With --top, n such pairs; with --json, the whole answer as JSON.
  With --abstain-below, a line whose score is lower ends in a tab and "abstained".
  A control character in a label is escaped: \\t, \\n, \\u0000.
  If a text fails, its line is empty, standard error says why, and the exit status is 1.
${exampleText(
  'predict offense --profile offense-002 "Nobody asked you" "Thank you!"',
  "predict news --profile news-000 --file headlines.txt > labels.tsv",
  "predict offense --profile offense-002 --json < comments.txt > answers.ndjson",
)}`;

function formatLine(prediction: PredictionLine): string {
  if ("error" in prediction) return "";
  const labels = prediction.top ?? [prediction];
  const cells = labels.flatMap(({ label, score }) => [escapeControls(label), score.toFixed(4)]);
  return [...cells, ...(prediction.abstained ? ["abstained"] : [])].join("\t");
}

/**
 * Predicts the texts of one request and prints a line for each.
 *
 * @param source what the texts' lines are of, for errors
 * @returns how many texts failed
 */
async function predictChunk(
  inputs: readonly PredictInput[],
  source: string,
  task: string,
  options: PredictOptions,
  progress: ProgressBar,
  describe: (error: unknown) => string,
): Promise<number> {
  const { profile, top, scores, orDefault, abstainBelow, json } = options;
  const response = openClient(options).v1.predict.stream.$post(
    {
      query: {
        task,
        ...(profile !== undefined && { profile }),
        ...(top !== undefined && { topK: top }),
        ...(scores && { scores: "true" as const }),
        ...(orDefault && { onUnknownProfile: "default" as const }),
        ...(abstainBelow !== undefined && { abstainBelow }),
      },
    },
    {
      headers: { "content-type": "application/x-ndjson" },
      init: { body: inputs.map(({ json }) => `${json}\n`).join("") },
    },
  );
  let failed = 0;
  for await (const prediction of lines<PredictionLine | { readonly done: true }>(response)) {
    if (!("line" in prediction)) continue;
    const line = inputs[prediction.line - 1]?.line ?? prediction.line;
    progress.increment(1);
    console.log(json ? JSON.stringify({ ...prediction, line }) : formatLine(prediction));
    if (!("error" in prediction)) continue;
    failed++;
    progress.log(`${source}${line}: ${describe(new ProblemError(prediction.error))}`);
  }
  return failed;
}

async function predict(task: string, texts: readonly string[], options: PredictOptions): Promise<void> {
  const { file = null, ndjson = isJsonLines(file ?? ""), scores, json } = options;
  if (scores && !json)
    throw new UsageError("Without --json, --scores has no effect.", "Add --json, or print the best labels with --top.");
  if (texts.length > 0 && (file !== null || ndjson)) {
    throw new UsageError(
      `There are ${texts.length} texts as arguments, and ${file === null ? "--ndjson" : `--file ${file}`} too.`,
      "Give the texts either as arguments or as lines, not both.",
    );
  }
  // The bar would be drawn between the answers if both go to the same terminal.
  const progress = createProgressBar("texts", texts.length || undefined, !process.stdout.isTTY);
  const given = texts.map((text, index) => ({ line: index + 1, json: formatInput({ text }) }));
  const source = texts.length > 0 ? "text " : `${nameOf(file)}:`;
  const describe = describeEach();
  let failed = 0;
  try {
    for await (const inputs of chunk(given.length > 0 ? given : readInputs(file, ndjson), TEXTS_A_REQUEST)) {
      failed += await predictChunk(inputs, source, task, options, progress, describe);
    }
  } finally {
    progress.stop();
  }
  if (failed > 0) process.exitCode = EXIT.failed;
}

/** `xpeft predict`: labels texts through a running Worker. */
export function registerPredict(program: Command): void {
  const command = program
    .command("predict")
    .description("label texts through a running Worker")
    .argument("<task>", "name of the task", parseTaskName)
    .argument("[texts...]", "texts to label; without them, lines are read")
    .option(
      "--profile <id>",
      "profile to predict for; a line of JSON or a row of a table may name another",
      parseProfileId,
    )
    .option("--file <file>", "read texts from this file (default: standard input)")
    .option("--ndjson", "lines are JSON objects, not plain texts")
    .option("--top <n>", "print the n best labels of each text (default: 1)", parseWholeNumber(1))
    .option("--scores", "with --json: print the score of every label")
    .option("--or-default", "use the task's default masks if the profile does not exist")
    .option("--abstain-below <s>", "mark answers whose score is lower, 0 to 1", parseScore);
  addWorkerOutputOptions(command, ["predict"]).addHelpText("after", HELP).action(predict);
}
