import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { z } from "zod";
import type { ProblemSchema } from "../../../app/http/problem.ts";
import type { ProblemCode } from "../../../app/http/problem-codes.ts";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import type { Bundle } from "../../../src/bundle/manifest.ts";
import type { NewTask } from "../../../src/profiles/task.ts";
import { profilesOf, taskFor } from "../../support/rows.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "../../support/worker.ts";
import { type ApiDocument, readApi } from "./options.ts";

/** Problem details as they arrive. */
export type Problem = z.infer<typeof ProblemSchema>;

/** What all provocations share. */
export interface Fixture {
  /** Caches no rows. Has the task "demo" with the profiles demo-000 and demo-001, which no provocation may change. */
  readonly worker: RunningWorker;
  readonly bundle: Bundle;
  readonly api: ApiDocument;
}

/**
 * Provokes a problem.
 *
 * @returns the whole answer; or the problem alone if it is part of a line
 */
export type Provocation = (fixture: Fixture) => Promise<Response | Problem>;

/** Provocations by their codes. */
export type Provocations = Partial<Record<ProblemCode, Provocation>>;

/** The prediction that provocations request by default. */
export const REQUEST = { task: "demo", profile: "demo-000", inputs: "Some text." };

/** Starts the Worker that all provocations share. */
export async function startFixture(): Promise<Fixture> {
  const worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  const fixture = { worker, bundle: await readBundle(DEFAULT_BUNDLE), api: await readApi(worker) };
  await writeTask(fixture, REQUEST.task);
  return fixture;
}

/** Writes a task with two profiles that a provocation may change. */
export async function writeTask({ worker, bundle }: Fixture, name: string): Promise<NewTask> {
  const task = taskFor(bundle, { name });
  await worker.push(task, profilesOf(2));
  return task;
}

/** Starts another Worker that closes when the test ends. */
export async function startOther(options: WorkerOptions): Promise<RunningWorker> {
  const worker = await startWorker(options);
  onTestFinished(() => worker.close());
  return worker;
}

/** Starts a Worker with a damaged copy of the bundle. @param damage receives the copy's folder */
export async function startDamaged(damage: (folder: string) => Promise<void>): Promise<RunningWorker> {
  const bundle = await mkdtemp(join(tmpdir(), "xpeft-bundle-"));
  onTestFinished(() => rm(bundle, { recursive: true, force: true }));
  await cp(DEFAULT_BUNDLE, bundle, { recursive: true });
  await damage(bundle);
  return await startOther({ bundle });
}
