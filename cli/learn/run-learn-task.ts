import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "../../node/errors.ts";
import type { LearnTaskProgress, LearnTaskRequest } from "../../src/learn/learn-task.ts";
import { taskFileFields } from "../../src/profiles/file-format.ts";
import { learnTaskRow } from "../../src/serving/learn-task.ts";
import { withSingleDatabase } from "../database.ts";
import { UsageError } from "../errors.ts";
import { exitOnInterrupt } from "../interrupt.ts";
import type { DatabaseOptions } from "../options.ts";
import { nameLine } from "../text-line.ts";
import { openClient } from "../worker-client.ts";
import { writeOutput } from "../write-output.ts";
import { readExamples } from "./examples.ts";
import { lazyEngine, localHooks } from "./learner.ts";
import { describeLearntTask, type LearntTaskFile } from "./learnt-task.ts";
import { createLearnProgressBar } from "./progress-bar.ts";
import { learnTaskInWorker } from "./worker-task-learner.ts";

/** The options of `xpeft learn-task`. */
export interface LearnTaskOptions
  extends DatabaseOptions,
    Pick<LearnTaskRequest, "labels" | "maxTokens" | "seed" | "targetAccuracy"> {
  readonly push?: boolean;
  readonly out?: string;
  readonly replace?: boolean;
  readonly bundle: string;
  readonly url?: string;
  readonly key?: string;
}

const DRY_RUN = { dryRun: "true", profiles: "delete" } as const;

type OnProgress = (progress: LearnTaskProgress) => void;

/** Learns a task from a file, writes it as the options say, and prints the result. */
export async function runLearnTask(name: string, path: string, options: LearnTaskOptions): Promise<void> {
  const { push = false, out, replace = false, persistTo, url, key, labels, maxTokens, seed, targetAccuracy } = options;
  if (!push && (replace || persistTo !== undefined || options.database !== undefined))
    throw new UsageError(
      "Without --push, --replace, --database and --persist-to have no effect.",
      "Leave them out, or add --push.",
    );
  if (out !== undefined && existsSync(join(out, "profiles.ndjson")))
    throw new CommandError(
      `${out} has a profiles.ndjson, whose profiles would not fit the new task.json.`,
      "Name another folder, or remove that file.",
    );
  const progress = createLearnProgressBar();
  exitOnInterrupt(() => {
    progress.stop();
    console.error("Interrupted. Nothing was written.");
  });
  const examples = await readExamples(path);
  const request = { name, examples, labels, maxTokens, seed, targetAccuracy };
  const existing = replace ? "delete" : "keep";
  const learn = async (onProgress: OnProgress): Promise<LearntTaskFile> => {
    if (url !== undefined) {
      // A dry run deletes no profiles, so that they need not block it.
      const query = push ? ({ dryRun: "false", profiles: existing } as const) : DRY_RUN;
      return await learnTaskInWorker(openClient({ url, ...(key && { key }) }), request, query, onProgress);
    }
    const engine = await lazyEngine(options.bundle)();
    const hooks = localHooks(onProgress);
    const { task, ...learnt } = push
      ? await withSingleDatabase(options, (db) =>
          learnTaskRow(
            { engine, shards: { count: 1, at: () => db } },
            { ...request, dryRun: false, expected: undefined, existing },
            hooks,
          ),
        )
      : { ...(await engine.learnTask(request, hooks)), generation: null, created: false };
    return { ...learnt, file: taskFileFields(task) };
  };

  progress.start(name);
  const learnt = await learn(progress.update)
    .catch((error: unknown) => {
      throw nameLine(error, examples, path);
    })
    .finally(progress.stop);
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeOutput(join(out, "task.json"), [`${JSON.stringify(learnt.file)}\n`]);
  }
  console.log(describeLearntTask(learnt, out));
}
