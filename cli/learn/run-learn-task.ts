import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBundle } from "../../node/files.ts";
import type { LearnTaskProgress, LearnTaskRequest } from "../../src/learn/learn-task.ts";
import { taskFileFields } from "../../src/profiles/file-format.ts";
import { type LearntTaskRow, learnTaskRow } from "../../src/serving/learn-task.ts";
import { withSingleDatabase } from "../database.ts";
import { UsageError } from "../errors.ts";
import { exitOnInterrupt } from "../interrupt.ts";
import type { DatabaseOptions } from "../options.ts";
import { nameLine } from "../text-line.ts";
import { openClient } from "../worker-client.ts";
import { readExamples } from "./examples.ts";
import { lazyEngine, localHooks } from "./learner.ts";
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

type OnProgress = (progress: LearnTaskProgress) => void;

/** Learns a task from a file, writes it as the options say, and prints the result. */
export async function runLearnTask(name: string, path: string, options: LearnTaskOptions): Promise<void> {
  const { push = false, out, replace = false, persistTo, url, key, labels, maxTokens, seed, targetAccuracy } = options;
  if (!push && (replace || persistTo !== undefined))
    throw new UsageError(
      "Without --push, --replace and --persist-to have no effect.",
      "Leave them out, or add --push.",
    );
  const progress = createLearnProgressBar();
  exitOnInterrupt(() => {
    progress.stop();
    console.error("Interrupted. Nothing was written.");
  });
  const bundle = await readBundle(options.bundle);
  const examples = await readExamples(path);
  const request = { name, examples, labels, maxTokens, seed, targetAccuracy };
  const existing = replace ? "delete" : "keep";
  const learn = async (onProgress: OnProgress): Promise<LearntTaskRow> => {
    if (url !== undefined) {
      const query = { dryRun: push ? "false" : "true", profiles: existing } as const;
      return await learnTaskInWorker(openClient({ url, ...(key && { key }) }), request, query, bundle, onProgress);
    }
    const engine = await lazyEngine(options.bundle)();
    const hooks = localHooks(onProgress);
    if (!push) return { ...(await engine.learnTask(request, hooks)), generation: null, created: false };
    return await withSingleDatabase(persistTo, (db) =>
      learnTaskRow(
        { engine, shards: { count: 1, at: () => db } },
        { ...request, dryRun: false, expected: undefined, existing },
        hooks,
      ),
    );
  };

  progress.start(name);
  const learnt = await learn(progress.update)
    .catch((error: unknown) => {
      throw nameLine(error, examples, path);
    })
    .finally(progress.stop);
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, "task.json"), `${JSON.stringify(taskFileFields(learnt.task))}\n`);
  }
  console.log(describeLearntTask(learnt, out));
}

const percent = (fraction: number) => `${Math.round(100 * fraction)}%`;

/** Returns the result of learning a task, in three lines. @param out the folder that it was written to */
function describeLearntTask(learnt: LearntTaskRow, out: string | undefined): string {
  const { task, texts, heldOut, abstention, generation, created } = learnt;
  const writes = [
    ...(generation === null ? [] : [`${created ? "created" : "replaced"}, generation ${generation}`]),
    ...(out === undefined ? [] : [`written to ${out}`]),
  ];
  const { below, answered, accuracy } = abstention;
  return [
    `${task.name}: ${task.labels.length} labels, ${texts} texts; held-out accuracy ${heldOut.accuracy.toFixed(3)}, and ${heldOut.majority.toFixed(3)} for always the most frequent label`,
    below === null || accuracy === null
      ? "  no score reaches the target accuracy on held-out texts"
      : `  abstain below the score ${below.toFixed(3)}: ${percent(answered)} of the held-out texts are answered, ${percent(accuracy)} of these right`,
    `  ${writes.join("; ") || "nothing was written: add --push or --out"}`,
  ].join("\n");
}
