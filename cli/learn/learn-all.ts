import { ProblemError } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { XpeftError } from "../../src/errors.ts";
import { describeEach } from "../errors.ts";
import { nameLine } from "../text-line.ts";
import type { Learner } from "./learner.ts";
import type { LearntFile } from "./learnt-file.ts";
import type { ProfileExamples } from "./profile-examples.ts";
import type { LearnProgressBar } from "./progress-bar.ts";
import { describeLearnt } from "./result-text.ts";

/** What all profiles are learnt with. */
export interface LearnContext {
  readonly learner: Learner;
  readonly progress: LearnProgressBar;
  /** Path of the file of examples, for errors. */
  readonly path: string;
  /** The file that learnt profiles are appended to, if there is one. */
  readonly out: LearntFile | null;
}

/** Codes of errors that concern one profile. The others can still be learnt. */
const PROFILE_ERRORS: ReadonlySet<string | undefined> = new Set<ProblemError["code"]>([
  "too_few_examples",
  "too_many_examples",
  "unknown_label",
  "one_label",
  "empty_text",
  "learning_too_long",
  "payload_too_large",
  "unknown_profile",
  "generation_mismatch",
]);

/** How many failed profiles the last error names. */
const MAX_NAMED = 10;

/** Returns the code of an error, whether this process or a running Worker raised it. */
const codeOf = (error: unknown) =>
  error instanceof XpeftError || error instanceof ProblemError ? error.code : undefined;

/** Learns a profile, writes it and prints the result. */
async function learnOne(context: LearnContext, { profile, examples }: ProfileExamples, title: string): Promise<void> {
  const { learner, progress, path, out } = context;
  const start = performance.now();
  progress.start(title);
  const learnt = await learner
    .learn(profile, examples, progress.update)
    .catch((error: unknown) => {
      throw nameLine(error, examples, path);
    })
    .finally(progress.stop);
  const file = learnt.notWritten === "no-gain" ? null : out;
  // Append last: with --push, a profile in the file is always in the database too.
  const { masks, labelBias } = learnt.parts;
  file?.append({ id: profile, masks, labelBias }, learnt.headHash);
  const seconds = (performance.now() - start) / 1000;
  console.log(describeLearnt({ task: learner.name, profile }, learnt, seconds, file?.path));
}

/**
 * Learns profiles one after the other. If one cannot be learnt, reports it and continues with the others.
 *
 * @throws CommandError at the end if some were not learnt; earlier, errors that concern all profiles
 */
export async function learnAll(context: LearnContext, profiles: readonly ProfileExamples[]): Promise<void> {
  const { learner, out } = context;
  const failed: string[] = [];
  const describe = describeEach();
  for (const [index, group] of profiles.entries()) {
    const name = `${learner.name}/${group.profile}`;
    if (out?.ids.has(group.profile)) {
      console.log(`${name}: skipped, because ${out.path} has it already`);
      continue;
    }
    try {
      await learnOne(context, group, profiles.length === 1 ? name : `${name} (${index + 1} of ${profiles.length})`);
    } catch (error) {
      if (!PROFILE_ERRORS.has(codeOf(error)) || profiles.length === 1) throw error;
      failed.push(group.profile);
      console.error(`${name}: ${describe(error)}`);
    }
  }
  if (failed.length === 0) return;
  const more = failed.length > MAX_NAMED ? ` and ${failed.length - MAX_NAMED} more` : "";
  throw new CommandError(
    `${failed.length} of ${profiles.length} profiles were not learnt: ${failed.slice(0, MAX_NAMED).join(", ")}${more}.`,
    "The errors above say why. The other profiles were learnt.",
  );
}
