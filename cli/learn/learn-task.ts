import { type Command, InvalidArgumentError } from "commander";
import { MAX_EXAMPLES } from "../../src/learn/examples.ts";
import { TARGET_ACCURACY } from "../../src/learn/learn-task.ts";
import { MAX_SEED } from "../../src/learn/recipe.ts";
import { MIN_TOKENS } from "../../src/profiles/file-format.ts";
import { labelForm, labelSetFault } from "../../src/profiles/labels.ts";
import { parseTaskName, parseWholeNumber } from "../arguments.ts";
import { bundleOption } from "../bundle-option.ts";
import { exampleText } from "../command-line.ts";
import { addDatabaseOptions, keyOption, urlOption } from "../options.ts";
import { EXAMPLES_FILE } from "./examples.ts";
import { runLearnTask } from "./run-learn-task.ts";

const HELP = `
Examples file:
${EXAMPLES_FILE}
  text       the text
  label      any label; the task's labels are those of the file, in order of first appearance, or --labels
  text_pair  optional: the second text, for tasks on pairs
  2 to ${MAX_EXAMPLES} examples, with at least two labels and two different texts of each.

Output:
  Without --push and --out nothing is written; the command only prints the held-out accuracy, and
  the score below which predictions should abstain.
  With --push, the task is not overwritten if someone else wrote it meanwhile.

A new task has no profiles. Predict with any profile and --or-default, or learn profiles with xpeft learn.
${exampleText(
  "learn-task helpdesk tickets.csv",
  "learn-task helpdesk tickets.csv --push",
  "learn-task helpdesk tickets.csv --labels billing,shipping,other --out runs/helpdesk",
  "learn-task helpdesk tickets.csv --push --url https://xpeft-edge.ACCOUNT.workers.dev",
)}`;

function parseLabels(text: string): string[] {
  const labels = text.split(",").map(labelForm);
  const fault = labels.length < 2 ? "a task has two labels or more" : labelSetFault(labels);
  if (fault === null) return labels;
  throw new InvalidArgumentError(`${fault}. Separate labels by commas.`);
}

function parseFraction(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to 1.");
}

/** `xpeft learn-task`: learns a new task from labelled texts, in this process or in a running Worker. */
export function registerLearnTask(program: Command): void {
  const command = program
    .command("learn-task")
    .description("learn a new task from labelled texts; without Python")
    .argument("<task>", "name of the task", parseTaskName)
    .argument("<examples>", "file of labelled texts, see below")
    .option("--push", "write the task to the database; a running Worker uses it within 30 s")
    .option("--out <folder>", "write task.json to this folder, over an older one, for xpeft push")
    .option("--labels <list>", "the task's labels in their order, separated by commas", parseLabels)
    .option(
      "--max-tokens <n>",
      "most tokens of a text that the task reads (default: twice the longest example, from 32 to the bundle's limit)",
      parseWholeNumber(MIN_TOKENS),
    )
    .option(
      "--target-accuracy <fraction>",
      "accuracy that answers at or above the proposed score should reach",
      parseFraction,
      TARGET_ACCURACY,
    )
    .option(
      "--seed <n>",
      "shuffles the texts before cross-validation; the same seed and examples give the same task",
      parseWholeNumber(0, MAX_SEED),
      0,
    )
    .option("--replace", "with --push: delete the profiles of a task that is replaced; without it they block the write")
    .addOption(bundleOption("folder of the bundle that the task is trained on").conflicts("url"))
    .addOption(urlOption("let the Worker at this address learn"))
    .addOption(keyOption(["learn-task"], "with --url: "))
    .addHelpText("after", HELP);
  addDatabaseOptions(command, "url").action(runLearnTask);
}
