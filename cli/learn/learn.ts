import { type Command, Option } from "commander";
import { CommandError } from "../../node/errors.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { MAX_EXAMPLES } from "../../src/learn/examples.ts";
import { RECIPE } from "../../src/learn/recipe.ts";
import { profilePattern } from "../../src/profiles/names.ts";
import type { StartChoice } from "../../src/serving/learn-profile.ts";
import { PROFILE_RULE, parseWholeNumber, profileArgument, taskArgument } from "../arguments.ts";
import { withLoneDatabase } from "../database.ts";
import { UsageError } from "../errors.ts";
import { exitOnInterrupt } from "../interrupt.ts";
import { openService } from "../service.ts";
import { type FileExample, readExamples } from "./examples.ts";
import { learnAll, type ProfileExamples } from "./learn-all.ts";
import { checkSameTask, createDatabaseLearner, createFileLearner, type Learner, readNamedTask } from "./learner.ts";
import { createRemoteLearner, readServedTask } from "./learner-remote.ts";
import { openLearntFile } from "./learnt-file.ts";
import { createLearnProgressBar } from "./progress-text.ts";

interface LearnOptions {
  readonly all?: string;
  readonly start: StartChoice;
  readonly epochs: number;
  readonly seed: number;
  readonly push?: boolean;
  readonly out?: string;
  readonly taskFile?: string;
  readonly bundle: string;
  readonly persistTo?: string;
  readonly url?: string;
  readonly key?: string;
}

const HELP = `
EXAMPLES is a CSV file with a header line, or JSON Lines if its name ends in .jsonl or .ndjson; zipped if .gz comes after that.
  text       what is to be labelled
  label      one of the task's labels; where these are whole numbers, any number from the first to the last
  text_pair  a second text, if the task reads two (may be left out)
  profile    whose it is: --all learns each of them; with PROFILE, those of others are passed over (may be left out)
2 to ${MAX_EXAMPLES} examples a profile, of two labels or more.

Without --push and --out nothing is written: it shows what would be gained.
--push writes each profile as soon as it is learnt, unless its row was written by someone else meanwhile.
--url has a running Worker learn, with a key of the scope learn; a Worker stops after 60 seconds. With --out the key must have the scope write, too.
--out can be gone on with: after Ctrl-C, the same command passes over what is in FILE. With --push alone all are learnt again.

Examples:
  npm run xpeft -- learn offense me examples.csv
  npm run xpeft -- learn offense me examples.csv --push
  npm run xpeft -- learn offense --all everybody.csv --push --out learnt.ndjson
  npm run xpeft -- learn tickets me examples.csv --task-file runs/tickets/task.json --out learnt.ndjson
  npm run xpeft -- learn offense me examples.csv --url https://xpeft-edge.<account>.workers.dev --push

The exit status is 1 if a profile was not learnt, 2 if the command was called wrongly, 3 if the Worker could not be reached, 130 after Ctrl-C.`;

function startArgument(text: string): StartChoice {
  return text === "auto" || text === "default" || text === "own" ? text : { profile: profileArgument(text) };
}

/** The file that is asked for, and the profile, or null for all that it has. */
function askedFor(profile: string | undefined, examples: string | undefined, all: string | undefined) {
  if (all !== undefined && profile === undefined) return { profile: null, path: all };
  if (all !== undefined || profile === undefined || examples === undefined) {
    throw new UsageError(
      "Which profiles are to be learnt, and from what?",
      "One: xpeft learn TASK PROFILE EXAMPLES. All that a file has: xpeft learn TASK --all EXAMPLES.",
    );
  }
  if (profilePattern.test(profile)) return { profile, path: examples };
  throw new UsageError(`"${profile}" cannot be a profile.`, PROFILE_RULE);
}

function pupilsOf(examples: readonly FileExample[], profile: string | null, path: string): ProfileExamples[] {
  if (profile !== null) {
    const own = examples.filter((one) => one.profile === null || one.profile === profile);
    if (own.length > 0) return [{ profile, examples: own }];
    throw new CommandError(`${path} has no examples of profile "${profile}".`, "Look at what its column profile has.");
  }
  const lost = examples.find((one) => one.profile === null);
  if (lost) {
    throw new CommandError(
      `${path}:${lost.line} does not say whose it is.`,
      "With --all each example has a profile; name the profile if all are of one: xpeft learn TASK PROFILE EXAMPLES",
    );
  }
  return [...Map.groupBy(examples, (one) => one.profile ?? "")].map(([id, own]) => ({ profile: id, examples: own }));
}

/** How to go on after Ctrl-C. */
function goOnText({ out, push }: LearnOptions): string {
  if (out !== undefined) return `Broken off. Run the same command again: what is in ${out} is passed over.`;
  if (push)
    return "Broken off. What is reported above is written. Run it again; with --out, that could be passed over.";
  return "Broken off; nothing was written.";
}

async function learn(
  name: string,
  one: string | undefined,
  file: string | undefined,
  options: LearnOptions,
): Promise<void> {
  const { push = false, out: outPath, taskFile, persistTo, url, key } = options;
  const { profile, path } = askedFor(one, file, options.all);
  if (taskFile !== undefined && !push && persistTo !== undefined) {
    throw new UsageError(
      "With --task-file, the database is only opened for --push.",
      "Leave --persist-to out, or say --push.",
    );
  }
  const progress = createLearnProgressBar();
  exitOnInterrupt(() => {
    progress.end();
    console.error(goOnText(options));
  });
  const bundle = await readBundle(options.bundle);
  const pupils = pupilsOf(await readExamples(path), profile, path);
  const task = taskFile === undefined ? null : await readNamedTask(taskFile, name, bundle);

  const learnWith = async (learner: Learner) => {
    const opened = outPath === undefined || !learner.task ? null : openLearntFile(outPath, learner.task, bundle);
    if (opened?.torn) console.error(`${outPath}: its last line was broken off, and is dropped.`);
    const out = opened && outPath !== undefined ? { ...opened, path: outPath } : null;
    await learnAll({ learner, progress, path, out }, pupils);
  };
  if (url !== undefined) {
    const client = openService({ url, ...(key && { key }) });
    // Only what goes into a file must be checked here; a key that may do nothing but learn cannot read the task.
    const served = outPath === undefined ? null : await readServedTask(client, name, bundle);
    return await learnWith(createRemoteLearner(client, name, served, push, options));
  }
  if (task && !push) return await learnWith(createFileLearner(task, options));
  await withLoneDatabase(persistTo, async (db) => {
    const learner = await createDatabaseLearner(db, name, push, options);
    if (task) checkSameTask(task, learner.task);
    await learnWith(learner);
  });
}

/** `xpeft learn`: learns profiles from labelled texts as a running Worker would, in this process. */
export function registerLearn(program: Command): void {
  program
    .command("learn")
    .description("learn a profile, or many, from labelled texts, with the engine that serves them; without Python")
    .usage("[options] TASK PROFILE EXAMPLES\n       xpeft learn [options] TASK --all EXAMPLES")
    .argument("<task>", "the task, as the database has it", taskArgument)
    .argument("[profile]", "the profile to learn; it need not be there yet")
    .argument("[examples]", "labelled texts, as told below")
    .option("--all <examples>", "learn every profile that the column profile names, one after the other")
    .option("--push", "write what is learnt to the database; a running Worker answers with it within 30 seconds")
    .option("--out <file>", "append what is learnt as lines of profiles.ndjson; profiles that it has are passed over")
    .option(
      "--start <start>",
      "start from the task's default masks, the profile's own of now, or those of another one: default, own, or its id; auto takes the default, unless the best of sixteen others' explains the examples clearly better",
      startArgument,
      "auto",
    )
    .option("--epochs <n>", "passes over the examples", parseWholeNumber(1, 1000), RECIPE.passes)
    .option("--seed <n>", "the same seed and examples make the same profile", parseWholeNumber(0, 2 ** 31 - 1), 0)
    .option(
      "--task-file <file>",
      "task.json of the training: needs no database, and starts from the default masks; with --push, the database must have the same task",
    )
    .option("--bundle <folder>", "the bundle that the task was trained on", DEFAULT_BUNDLE)
    .option("--persist-to <folder>", "where the local database is, as given to wrangler dev")
    .addOption(
      new Option(
        "--url <url>",
        "have a running Worker learn, for its own database, in the place of this process",
      ).conflicts(["taskFile", "persistTo"]),
    )
    .addOption(new Option("--key <key>", "a key with the scope learn, for --url").env("XPEFT_KEY"))
    .addHelpText("after", HELP)
    .action(learn);
}
