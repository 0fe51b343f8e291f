import { CommandError } from "../../node/errors.ts";
import { readTaskFile } from "../../node/files.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { findKnown } from "../../src/profiles/known-labels.ts";
import { profileTaskOf } from "../../src/profiles/profile-task.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { type Learner, type LearnSettings, lazyEngine, localHooks } from "./learner.ts";

/**
 * Reads a `task.json` and checks that it has the task of this name.
 *
 * @throws CommandError if it has another task; XpeftError as {@link readTaskFile} does
 */
export async function readNamedTask(path: string, name: string, bundle: Bundle): Promise<NewTask> {
  const task = await readTaskFile(path, bundle);
  if (task.name === name) return task;
  throw new CommandError(
    `${path} has the task "${task.name}", not "${name}".`,
    `Name the task "${task.name}", or another file.`,
  );
}

/**
 * Returns a learner for the task of a file. It starts from the task's default masks, because a file has no profiles.
 *
 * @throws CommandError if another start is chosen
 */
export function createFileLearner(
  task: NewTask,
  { start, knownLabels, epochs: passes, seed }: LearnSettings,
  bundleFolder: string,
): Learner {
  if (start !== "auto" && start !== "default") {
    throw new CommandError(
      "With --task-file there are no profiles to start from.",
      "Use --start default; or leave --task-file out to learn with the database.",
    );
  }
  const loadEngine = lazyEngine(bundleFolder);
  return {
    name: task.name,
    task,
    async learn(_profile, examples, onProgress) {
      const defaultStart = { profile: null, parts: { masks: task.masks, labelBias: null } };
      const known = knownLabels ? findKnown(knownLabels, task.labels) : null;
      const request = { examples, known, starts: [defaultStart] as const, passes, seed };
      const learnt = await (await loadEngine()).learn(task, request, localHooks(onProgress));
      const { headHash } = await profileTaskOf(task);
      return { ...learnt, headHash, generation: null, created: false, notWritten: "dry-run" };
    },
  };
}
