import { CommandError } from "../../node/errors.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { learnProfile } from "../../src/serving/learn-profile.ts";
import type { Database } from "../../src/storage/database.ts";
import { createProfileStore } from "../../src/storage/profile-store.ts";
import { type Learner, type LearnSettings, lazyEngine, localHooks } from "./learner.ts";

/**
 * Returns a learner for a task of a database.
 *
 * @param write whether learnt profiles are written to the database
 * @throws CommandError if there is no such task; XpeftError `invalid_row` or `database_unavailable`
 */
export async function createDatabaseLearner(
  db: Database,
  name: string,
  write: boolean,
  { start, knownLabels, epochs: passes, seed, force = false }: LearnSettings,
  bundleFolder: string,
): Promise<Learner & { readonly task: NewTask }> {
  const { task } = await createProfileStore(db).read(name, [], null);
  if (!task) {
    throw new CommandError(
      `The database has no task "${name}".`,
      "Push the task first (xpeft push --help), name another database with --persist-to, or read the task with --task-file.",
    );
  }
  const shards = { count: 1, at: () => db };
  const loadEngine = lazyEngine(bundleFolder);
  return {
    name,
    task,
    async learn(profile, examples, onProgress) {
      const request = {
        task: name,
        profile,
        examples,
        start,
        knownLabels,
        prefix: "",
        passes,
        seed,
        dryRun: !write,
        force,
      } as const;
      const parts = { engine: await loadEngine(), shards };
      return await learnProfile(parts, { ...request, expected: undefined }, localHooks(onProgress));
    },
  };
}

/**
 * Checks that a task's file and the database have the same task: masks fit only the head that they were learnt with.
 *
 * @throws CommandError if they differ
 */
export function checkSameTask(file: NewTask, stored: NewTask): void {
  const same =
    file.bundle === stored.bundle &&
    file.maxTokens === stored.maxTokens &&
    file.labels.join("\n") === stored.labels.join("\n") &&
    Buffer.from(file.masks).equals(stored.masks) &&
    Buffer.from(file.adapter ?? []).equals(stored.adapter ?? new Uint8Array()) &&
    file.head.length === stored.head.length &&
    file.head.every((value, index) => value === stored.head[index]);
  if (same) return;
  throw new CommandError(
    `The database has another task "${stored.name}" than the file.`,
    "Push the file with its profiles first (xpeft push --help); or leave --task-file out to use the database's task.",
  );
}
