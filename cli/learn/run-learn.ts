import { readBundle } from "../../node/files.ts";
import { withSingleDatabase } from "../database.ts";
import { UsageError } from "../errors.ts";
import { exitOnInterrupt } from "../interrupt.ts";
import type { DatabaseOptions } from "../options.ts";
import { openClient } from "../worker-client.ts";
import { checkSameTask, createDatabaseLearner } from "./database-learner.ts";
import { readExamples } from "./examples.ts";
import { createFileLearner, readNamedTask } from "./file-learner.ts";
import { learnAll } from "./learn-all.ts";
import type { Learner, LearnSettings } from "./learner.ts";
import { openLearntFile } from "./learnt-file.ts";
import { groupExamples, parseSource } from "./profile-examples.ts";
import { createLearnProgressBar } from "./progress-bar.ts";
import { createWorkerLearner, readWorkerTask } from "./worker-learner.ts";

/** The options of `xpeft learn`. */
export interface LearnOptions extends LearnSettings, DatabaseOptions {
  readonly all?: string;
  readonly push?: boolean;
  readonly out?: string;
  readonly taskFile?: string;
  readonly bundle: string;
  readonly url?: string;
  readonly key?: string;
}

/** Returns how to resume after Ctrl-C. */
function describeInterrupt({ out, push }: LearnOptions): string {
  if (out !== undefined) return `Interrupted. To resume, run the same command again: profiles in ${out} are skipped.`;
  if (push) return "Interrupted. The profiles above were written. With --out, the command could skip them next time.";
  return "Interrupted. Nothing was written.";
}

/**
 * Learns a profile, or every profile of a file.
 *
 * @param name the task's name
 * @param profile the profile's id; undefined with --all
 * @param file the file of examples; undefined with --all
 */
export async function runLearn(
  name: string,
  profile: string | undefined,
  file: string | undefined,
  options: LearnOptions,
): Promise<void> {
  const { push = false, out: outPath, taskFile, persistTo, url, key } = options;
  const source = parseSource(profile, file, options.all);
  if (taskFile !== undefined && !push && persistTo !== undefined) {
    throw new UsageError(
      "With --task-file, the database is used only for --push. Without --push, --persist-to has no effect.",
      "Leave --persist-to out, or add --push.",
    );
  }
  if (options.force && (options.start !== "auto" || (taskFile !== undefined && !push))) {
    throw new UsageError(
      "--force is for --start auto, and for profiles in a database. Otherwise it has no effect.",
      "Leave --force out.",
    );
  }
  const progress = createLearnProgressBar();
  exitOnInterrupt(() => {
    progress.stop();
    console.error(describeInterrupt(options));
  });
  const bundle = await readBundle(options.bundle);
  const profiles = groupExamples(await readExamples(source.path), source);
  const task = taskFile === undefined ? null : await readNamedTask(taskFile, name, bundle);

  const learnWith = async (learner: Learner) => {
    const out = outPath === undefined || !learner.task ? null : await openLearntFile(outPath, learner.task, bundle);
    if (out?.repaired) console.error(`${out.path}: the last line was incomplete, so it was removed.`);
    await learnAll({ learner, progress, path: source.path, out }, profiles);
  };
  if (url !== undefined) {
    const client = openClient({ url, ...(key && { key }) });
    // The task is needed only for the file: a key with the scope learn alone cannot read it.
    const workerTask = outPath === undefined ? null : await readWorkerTask(client, name, bundle);
    return await learnWith(createWorkerLearner(client, name, workerTask, push, options));
  }
  if (task && !push) return await learnWith(createFileLearner(task, options, options.bundle));
  await withSingleDatabase(options, async (db) => {
    const learner = await createDatabaseLearner(db, name, push, options, options.bundle);
    if (task) checkSameTask(task, learner.task);
    await learnWith(learner);
  });
}
