import { type Command, InvalidArgumentError } from "commander";
import { MAX_EXAMPLES } from "../../src/learn/examples.ts";
import { MAX_PASSES, MAX_SEED, RECIPE } from "../../src/learn/recipe.ts";
import { labelForm } from "../../src/profiles/labels.ts";
import type { StartChoice } from "../../src/serving/learn-profile.ts";
import { parseProfileId, parseTaskName, parseWholeNumber } from "../arguments.ts";
import { bundleOption } from "../bundle-option.ts";
import { exampleText } from "../command-line.ts";
import { addDatabaseOptions, keyOption, urlOption } from "../options.ts";
import { EXAMPLES_FILE } from "./examples.ts";
import { runLearn } from "./run-learn.ts";

const HELP = `
Examples file:
${EXAMPLES_FILE}
  text       the text
  label      one of the task's labels; for labels that are whole numbers, any number in their range
  text_pair  optional: the second text, for tasks on pairs
  profile    optional: the profile's id. --all needs it. With PROFILE, rows of other profiles are skipped
  Each profile needs 2 to ${MAX_EXAMPLES} examples with at least two labels.

Output:
  Without --push and --out nothing is written; the command only prints which candidate won and its held-out accuracy.
  With --push, a profile is not overwritten if someone else wrote it meanwhile.
  With --start auto, a profile that exists stays as it is if nothing was gained. --force replaces it.
  With --out the command is resumable: after Ctrl-C, run it again. With --push alone, it learns all profiles again.

With --url the Worker learns: it needs a key with the scope learn (and write for --out), and takes at most 60 s a profile.
${exampleText(
  "learn offense me examples.csv",
  "learn offense me examples.csv --push",
  "learn offense --all everybody.csv --push --out learnt.ndjson",
  "learn tickets me examples.csv --task-file runs/tickets/task.json --out learnt.ndjson",
  "learn offense me examples.csv --push --url https://xpeft-edge.ACCOUNT.workers.dev",
)}`;

function parseStart(text: string): StartChoice {
  return text === "auto" || text === "default" || text === "own" ? text : { profile: parseProfileId(text) };
}

/** Parses labels that are separated by commas. */
function parseLabels(text: string): string[] {
  const labels = text.split(",").filter((label) => labelForm(label) !== "");
  if (labels.length > 0) return labels;
  throw new InvalidArgumentError("Name one label or more, separated by commas.");
}

/** `xpeft learn`: learns profiles from labelled texts, in this process or in a running Worker. */
export function registerLearn(program: Command): void {
  const command = program
    .command("learn")
    .description("learn one profile, or many, from labelled texts; without Python")
    .usage("[options] TASK PROFILE EXAMPLES\n       xpeft learn [options] TASK --all EXAMPLES")
    .argument("<task>", "name of the task", parseTaskName)
    .argument("[profile]", "id of the profile; it need not exist")
    .argument("[examples]", "file of labelled texts, see below")
    .option("--all <examples>", "learn every profile that the column profile of this file names")
    .option("--push", "write learnt profiles to the database; a running Worker uses them within 30 s")
    .option("--out <file>", "append learnt profiles to this profiles.ndjson; profiles already in it are skipped")
    .option(
      "--start <start>",
      "masks to start from: default (the task's), own (the profile's current ones), the id of another profile, or auto (the task's, unless one of up to 64 other profiles fits the examples clearly better)",
      parseStart,
      "auto",
    )
    .option(
      "--known-labels <labels>",
      "the only labels that the profiles will know, separated by commas; by default, a profile that exists keeps those that it knows",
      parseLabels,
    )
    .option("--force", "with --start auto: replace a profile that exists even if nothing was gained")
    .option(
      "--epochs <n>",
      `passes over the examples that train masks, 1 to ${MAX_PASSES}; a task without masks needs none`,
      parseWholeNumber(1, MAX_PASSES),
      RECIPE.passes,
    )
    .option(
      "--seed <n>",
      "seed of the random numbers; the same seed and examples give the same profile",
      parseWholeNumber(0, MAX_SEED),
      0,
    )
    .option(
      "--task-file <file>",
      "read the task from a training's task.json, and start from its masks; with --push, the database must have the same task",
    )
    .addOption(bundleOption())
    .addOption(urlOption("let the Worker at this address learn, for its own database").conflicts("taskFile"))
    .addOption(keyOption(["learn"], "with --url: "))
    .addHelpText("after", HELP);
  addDatabaseOptions(command, "url").action(runLearn);
}
