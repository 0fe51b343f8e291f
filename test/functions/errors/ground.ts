import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { z } from "zod";
import type { ProblemSchema } from "../../../functions/http/problem.ts";
import type { ProblemCode } from "../../../functions/http/problem-codes.ts";
import { DEFAULT_BUNDLE } from "../../../node/files.ts";
import type { Bundle } from "../../../src/bundle/manifest.ts";
import type { NewTask } from "../../../src/profiles/task.ts";
import { profilesOf, taskFor } from "../../support/rows.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "../../support/worker.ts";

/** Problem details as they arrive. */
export type Problem = z.infer<typeof ProblemSchema>;

/** What provocations have in common. */
export interface Ground {
  /** Has the task "demo" with the profiles demo-000 and demo-001, which no provocation may change, and keeps no rows. */
  readonly worker: RunningWorker;
  readonly bundle: Bundle;
}

/**
 * Makes a problem happen.
 *
 * @returns the whole answer; or the problem alone, where it comes as part of a line
 */
export type Provocation = (ground: Ground) => Promise<Response | Problem>;

/** Some of the provocations, by what they provoke; each name is checked to be a code. */
export type Provocations = Partial<Record<ProblemCode, Provocation>>;

/** What every Worker here predicts, unless a test says otherwise. */
export const REQUEST = { task: "demo", profile: "demo-000", inputs: "Some text." };

/** Writes a task of the running bundle and two profiles, for a provocation to change as it likes. */
export async function writeTask({ worker, bundle }: Ground, name: string): Promise<NewTask> {
  const task = taskFor(bundle, { name });
  await worker.push(task, profilesOf(2));
  return task;
}

/** Starts a Worker that is set up otherwise, until the test is over. */
export async function startOther(options: WorkerOptions): Promise<RunningWorker> {
  const worker = await startWorker(options);
  onTestFinished(() => worker.close());
  return worker;
}

/** Starts a Worker whose bundle has something done to it. @param damage is given the bundle's folder */
export async function startDamaged(damage: (folder: string) => Promise<void>): Promise<RunningWorker> {
  const bundle = await mkdtemp(join(tmpdir(), "xpeft-bundle-"));
  onTestFinished(() => rm(bundle, { recursive: true, force: true }));
  await cp(DEFAULT_BUNDLE, bundle, { recursive: true });
  await damage(bundle);
  return await startOther({ bundle });
}
