import { loadEngine } from "../../node/engine.ts";
import { CommandError } from "../../node/errors.ts";
import { readTaskFile } from "../../node/files.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import type { Example } from "../../src/learn/examples.ts";
import type { LearnHooks, LearnProgress } from "../../src/learn/progress.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { Engine } from "../../src/serving/engine.ts";
import { type LearntProfile, learnProfile, type StartChoice } from "../../src/serving/learn-profile.ts";
import type { Database } from "../../src/storage/database.ts";
import { createProfileStore } from "../../src/storage/profile-store.ts";

/** How profiles are to be learnt. */
export interface LearnOptions {
  readonly start: StartChoice;
  readonly epochs: number;
  readonly seed: number;
  /** A bundle's folder. */
  readonly bundle: string;
}

/** Learns profiles of one task. */
export interface Learner {
  /** The task's name. */
  readonly name: string;
  /** Null where the one who learns keeps it to itself. */
  readonly task: NewTask | null;
  /** @throws XpeftError as {@link learnProfile} does; or ProblemError, of a running Worker */
  learn(
    profile: string,
    examples: readonly Example[],
    onProgress: (progress: LearnProgress) => void,
  ): Promise<LearntProfile>;
}

/** Nothing ends a learning but the end of the process, and it may take as long as it takes. */
const hooksOf = (onProgress: (progress: LearnProgress) => void): LearnHooks => ({
  onProgress: async (progress) => onProgress(progress),
  signal: new AbortController().signal,
  budgetSeconds: Number.POSITIVE_INFINITY,
});

/** Loads an engine when it is first needed, and keeps it. */
function whenNeeded(bundle: string): () => Promise<Engine> {
  let engine: Promise<Engine> | undefined;
  return () => {
    engine ??= loadEngine(bundle);
    return engine;
  };
}

/** Learns for a task's file; there are no profiles to start from. */
export function createFileLearner(task: NewTask, manner: LearnOptions): Learner {
  const { start, epochs: passes, seed, bundle } = manner;
  if (start !== "auto" && start !== "default") {
    throw new CommandError(
      "There are no profiles to start from beside a task's file.",
      "Leave --task-file out, so that the database is read; or start from the default.",
    );
  }
  const engine = whenNeeded(bundle);
  return {
    name: task.name,
    task,
    async learn(_profile, examples, onProgress) {
      const standard = { profile: null, parts: { masks: task.masks, labelBias: null } };
      const request = { examples, starts: [standard] as const, passes, seed };
      const learnt = await (await engine()).learn(task, request, hooksOf(onProgress));
      return { ...learnt, generation: null, created: false };
    },
  };
}

/**
 * Learns for a task of a database.
 *
 * @param write whether the profiles are written there
 * @throws CommandError if there is no such task; XpeftError `invalid_row` or `database_unavailable`
 */
export async function createDatabaseLearner(
  db: Database,
  name: string,
  write: boolean,
  { start, epochs: passes, seed, bundle }: LearnOptions,
): Promise<Learner & { readonly task: NewTask }> {
  const { task } = await createProfileStore(db).read(name, [], null);
  if (!task) {
    throw new CommandError(
      `The database has no task "${name}".`,
      "Push it first: npm run xpeft -- push; or name another database by --persist-to, or the task's file by --task-file.",
    );
  }
  const shards = { count: 1, at: () => db };
  const engine = whenNeeded(bundle);
  return {
    name,
    task,
    async learn(profile, examples, onProgress) {
      const lessons = { task: name, profile, examples, start, prefix: "", passes, seed, dryRun: !write } as const;
      const parts = { engine: await engine(), shards };
      return await learnProfile(parts, { ...lessons, expected: undefined }, hooksOf(onProgress));
    },
  };
}

/**
 * Reads the file of a task that is called so.
 *
 * @throws CommandError if it is another one; XpeftError as {@link readTaskFile} does
 */
export async function readNamedTask(path: string, name: string, bundle: Bundle): Promise<NewTask> {
  const task = await readTaskFile(path, bundle);
  if (task.name === name) return task;
  throw new CommandError(`${path} has the task "${task.name}", not "${name}".`, "Name the task that the file has.");
}

/**
 * Refuses a task's file that is not what the database has: masks that are learnt under one head must not go under another.
 *
 * @throws CommandError
 */
export function checkSameTask(file: NewTask, task: NewTask): void {
  const same =
    file.bundle === task.bundle &&
    file.maxTokens === task.maxTokens &&
    file.labels.join("\n") === task.labels.join("\n") &&
    Buffer.from(file.masks).equals(task.masks) &&
    file.head.length === task.head.length &&
    file.head.every((value, place) => value === task.head[place]);
  if (same) return;
  throw new CommandError(
    `The database has another task "${task.name}" than the file.`,
    "Push the file with its profiles first: npm run xpeft -- push; or leave --task-file out, to learn for the one that is there.",
  );
}
