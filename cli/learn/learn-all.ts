import { ProblemError } from "../../client/index.ts";
import { CommandError } from "../../node/errors.ts";
import { withLocation } from "../../node/files.ts";
import { type ErrorCode, XpeftError } from "../../src/errors.ts";
import { labelTarget } from "../../src/learn/examples.ts";
import { describeError } from "../errors.ts";
import type { FileExample } from "./examples.ts";
import type { Learner } from "./learner.ts";
import type { LearntFile } from "./learnt-file.ts";
import type { LearnProgressBar } from "./progress-text.ts";
import { describeLearnt } from "./result-text.ts";

/** Examples of one profile. */
export interface ProfileExamples {
  readonly profile: string;
  readonly examples: readonly FileExample[];
}

/** What profiles are learnt with. */
export interface LearnAllParts {
  readonly learner: Learner;
  readonly progress: LearnProgressBar;
  /** The examples' file, for errors. */
  readonly path: string;
  /** What the profiles are appended to, if they are. */
  readonly out: (LearntFile & { readonly path: string }) | null;
}

/** What is wrong with one profile, while others may be learnt. */
const OF_ONE_PROFILE: ReadonlySet<string | undefined> = new Set<ErrorCode>([
  "too_few_examples",
  "too_many_examples",
  "unknown_label",
  "one_label",
  "empty_text",
  "learning_too_long",
  "unknown_profile",
  "generation_mismatch",
]);

/** The code of an error, of this process or of a running Worker. */
const codeOf = (error: unknown) =>
  error instanceof XpeftError || error instanceof ProblemError ? error.code : undefined;

/** @throws XpeftError `unknown_label` that names the example's line */
function checkLabels(examples: readonly FileExample[], labels: readonly string[], path: string): void {
  for (const { label, line } of examples) {
    try {
      labelTarget(label, labels);
    } catch (error) {
      throw withLocation(error, `${path}:${line}`);
    }
  }
}

/** Learns a profile, writes it where it is to be written, and says so. */
async function learnOne(
  { learner, progress, path, out }: LearnAllParts,
  pupil: ProfileExamples,
  what: string,
): Promise<void> {
  const { profile, examples } = pupil;
  if (learner.task) checkLabels(examples, learner.task.labels, path);
  const began = performance.now();
  progress.begin(what);
  const learnt = await learner.learn(profile, examples, (where) => progress.tell(where)).finally(() => progress.end());
  // Last, so that whatever is in the file is in the database too, where it was to be.
  const { masks, labelBias } = learnt.parts;
  out?.append({ id: profile, masks, labelBias });
  const seconds = (performance.now() - began) / 1000;
  console.log(describeLearnt({ task: learner.name, profile }, learnt, seconds, out?.path));
}

/**
 * Learns profiles one after the other. One that cannot be learnt is reported, and the others go on.
 *
 * @throws CommandError at the end, if some were not learnt; and whatever concerns all of them
 */
export async function learnAll(parts: LearnAllParts, pupils: readonly ProfileExamples[]): Promise<void> {
  const { learner, out } = parts;
  const failed: string[] = [];
  for (const [place, pupil] of pupils.entries()) {
    const name = `${learner.name}/${pupil.profile}`;
    if (out?.known.has(pupil.profile)) {
      console.log(`${name}: is in ${out.path} already, passed over`);
      continue;
    }
    try {
      await learnOne(parts, pupil, pupils.length === 1 ? name : `${name} (${place + 1} of ${pupils.length})`);
    } catch (error) {
      if (!OF_ONE_PROFILE.has(codeOf(error)) || pupils.length === 1) throw error;
      failed.push(pupil.profile);
      console.error(`${name}: ${describeError(error)}`);
    }
  }
  if (failed.length === 0) return;
  throw new CommandError(
    `${failed.length} of ${pupils.length} profiles were not learnt: ${failed.slice(0, 10).join(", ")}${failed.length > 10 ? " and others" : ""}.`,
    "What is wrong with each is said above; the others are done.",
  );
}
