import type { Command } from "commander";
import { lines, type Problem } from "../../client/index.ts";
import { parseWholeNumber, profileArgument, taskArgument } from "../arguments.ts";
import { EXIT, UsageError } from "../errors.ts";
import { hintFor } from "../hints.ts";
import { addJsonOption, type OutputOptions } from "../output.ts";
import { createProgressBar, type ProgressBar } from "../progress.ts";
import { addServiceOptions, openService, type ServiceOptions } from "../service.ts";
import { chunk, inputLines } from "./text-lines.ts";

interface PredictOptions extends ServiceOptions, OutputOptions {
  readonly profile?: string;
  readonly file?: string;
  readonly ndjson?: boolean;
  readonly top?: number;
  readonly scores?: boolean;
  readonly orDefault?: boolean;
}

interface Scored {
  readonly label: string;
  readonly score: number;
}

/** A line of the answer. */
type Answered =
  | (Scored & { readonly line: number; readonly top?: readonly Scored[] })
  | { readonly line: number; readonly error: Problem };

/** Texts of one request: some ten seconds of a Worker's CPU, which is a third of what it has unless more was allowed. */
const TEXTS_A_REQUEST = 256;

const HELP = `
Texts are the arguments; or, where there are none, the lines of --file or of standard input: plain, or objects
{"text", "textPair"?, "profile"?} with --ndjson or if the file's name ends in .ndjson or .jsonl.

One line is printed for each text, in their order: label and score, with a tab between; with --top that many such pairs; with --json
the whole answer. A text that cannot be answered leaves its line empty and is told on standard error; the exit status is then 1.

Examples:
  npm run -s xpeft -- predict offense --profile offense-002 "Nobody asked you" "Thank you!"
  npm run -s xpeft -- predict news --profile news-000 --file headlines.txt > labels.tsv
  cut -f2 comments.tsv | npm run -s xpeft -- predict offense --profile offense-002 --json > answers.ndjson`;

function plainLine(one: Answered): string {
  if ("error" in one) return "";
  return (one.top ?? [one]).flatMap(({ label, score }) => [label, score.toFixed(4)]).join("\t");
}

/** Asks for a group of texts; `before` lines came earlier. */
async function predictGroup(
  group: readonly string[],
  before: number,
  task: string,
  options: PredictOptions,
  progress: ProgressBar,
): Promise<number> {
  const { profile, top, scores, orDefault, json } = options;
  const asked = openService(options).v1.predict.stream.$post(
    {
      query: {
        task,
        ...(profile !== undefined && { profile }),
        ...(top !== undefined && { topK: top }),
        ...(scores && { scores: "true" as const }),
        ...(orDefault && { onUnknownProfile: "default" as const }),
      },
    },
    { headers: { "content-type": "application/x-ndjson" }, init: { body: group.map((line) => `${line}\n`).join("") } },
  );
  let failed = 0;
  for await (const one of lines<Answered | { readonly done: true }>(asked)) {
    if (!("line" in one)) continue;
    const line = before + one.line;
    progress.add(1);
    console.log(json ? JSON.stringify({ ...one, line }) : plainLine(one));
    if (!("error" in one)) continue;
    failed++;
    progress.say(`text ${line}: ${one.error.code}: ${one.error.detail} ${hintFor(one.error)}`);
  }
  return failed;
}

async function predict(task: string, texts: readonly string[], options: PredictOptions): Promise<void> {
  const { file, ndjson = /\.(ndjson|jsonl)$/i.test(file ?? "") } = options;
  if (texts.length > 0 && (file !== undefined || ndjson)) {
    throw new UsageError("Texts are given twice.", "As arguments, or as lines with --file or --ndjson.");
  }
  // Nothing is drawn between the answers where both go to the same terminal.
  const progress = createProgressBar("texts", texts.length || undefined, !process.stdout.isTTY);
  let before = 0;
  let failed = 0;
  try {
    for await (const group of chunk(texts.length > 0 ? texts : inputLines(file), TEXTS_A_REQUEST)) {
      const sent = group.map((line) => (ndjson ? line.trim() || "{}" : JSON.stringify({ text: line })));
      failed += await predictGroup(sent, before, task, options, progress);
      before += group.length;
    }
  } finally {
    progress.end();
  }
  if (failed > 0) process.exitCode = EXIT.failed;
}

/** `xpeft predict`: labels texts through a running Worker. */
export function registerPredict(program: Command): void {
  const command = program
    .command("predict")
    .description("label texts: arguments, a file's lines, or standard input")
    .argument("<task>", "the task", taskArgument)
    .argument("[texts...]", "texts to label")
    .option("--profile <id>", "whose labels are wanted; lines of objects may name their own", profileArgument)
    .option("--file <file>", "a text a line")
    .option("--ndjson", "lines are objects, not plain texts")
    .option("--top <n>", "the n best labels of each text", parseWholeNumber(1))
    .option("--scores", "with --json: the score of every label")
    .option("--or-default", "answer as the task's default where there is no such profile");
  addJsonOption(addServiceOptions(command)).addHelpText("after", HELP).action(predict);
}
