import { CommandError } from "../../node/errors.ts";
import { profilePattern } from "../../src/profiles/names.ts";
import { PROFILE_RULE } from "../arguments.ts";
import { UsageError } from "../errors.ts";
import type { FileExample } from "./examples.ts";

/** The examples of one profile. */
export interface ProfileExamples {
  readonly profile: string;
  readonly examples: readonly FileExample[];
}

/** The file of examples, and the profile to learn. */
export interface ExampleSource {
  readonly path: string;
  /** Null for every profile that the file names. */
  readonly profile: string | null;
}

const FORMS = "xpeft learn TASK PROFILE EXAMPLES, or xpeft learn TASK --all EXAMPLES";

/** Checks which of the arguments were given. @throws UsageError if they do not go together */
export function parseSource(
  profile: string | undefined,
  examples: string | undefined,
  all: string | undefined,
): ExampleSource {
  if (all !== undefined && profile === undefined) return { profile: null, path: all };
  if (all !== undefined)
    throw new UsageError(`The profile "${profile}" and --all cannot be combined.`, `Use ${FORMS}.`);
  if (profile === undefined || examples === undefined)
    throw new UsageError("The profile or the file of examples is missing.", `Use ${FORMS}.`);
  if (profilePattern.test(profile)) return { profile, path: examples };
  throw new UsageError(`"${profile}" is not a profile's id.`, PROFILE_RULE);
}

/** Groups examples by profile, for the profiles to learn. @throws CommandError if there are none, or a profile is missing */
export function groupExamples(
  examples: readonly FileExample[],
  { profile, path }: ExampleSource,
): readonly ProfileExamples[] {
  if (profile !== null) {
    const selected = examples.filter((example) => example.profile === null || example.profile === profile);
    if (selected.length > 0) return [{ profile, examples: selected }];
    throw new CommandError(`${path} has no examples of profile "${profile}".`, "Check the ids in its column profile.");
  }
  const unnamed = examples.find((example) => example.profile === null);
  if (unnamed) {
    throw new CommandError(
      `${path}:${unnamed.line} has no profile, which --all needs.`,
      "Add a profile to each example. If all are of one profile: xpeft learn TASK PROFILE EXAMPLES",
    );
  }
  const groups = Map.groupBy(examples, (example) => example.profile ?? "");
  return [...groups].map(([id, group]) => ({ profile: id, examples: group }));
}
