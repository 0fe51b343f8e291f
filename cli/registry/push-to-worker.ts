import { ProblemError, unwrap } from "../../client/index.ts";
import { readText } from "../../node/files.ts";
import type { WorkerOptions } from "../options.ts";
import { openClient } from "../worker-client.ts";
import { type ImportCounts, uploadProfiles } from "./profiles-push.ts";

/** Paths of a task's files. */
interface TaskFiles {
  /** The task's name. */
  readonly name: string;
  /** Path of its `task.json`. */
  readonly task: string;
  /** Path of its `profiles.ndjson`. */
  readonly profiles: string;
}

/** The result of writing a task with its profiles. */
export interface PushResult {
  /** The task's generation. */
  readonly generation: number;
  readonly counts: ImportCounts;
}

/**
 * Writes a task through a running Worker, and returns its generation.
 *
 * @param path of its `task.json`
 * @param replace whether existing profiles are deleted if they were learnt with another head
 */
export async function putTaskInWorker(
  options: WorkerOptions,
  name: string,
  path: string,
  replace: boolean,
): Promise<number> {
  const json = JSON.parse(await readText(path));
  const putTask = (existing: "keep" | "delete") =>
    unwrap(openClient(options).v1.tasks[":task"].$put({ param: { task: name }, query: { profiles: existing }, json }));
  const { generation } = await putTask("keep").catch((error: unknown) => {
    // Tried without deleting first: profiles that fit the head stay even with --replace.
    if (replace && error instanceof ProblemError && error.code === "task_has_profiles") return putTask("delete");
    throw error;
  });
  return generation;
}

/**
 * Writes a task and its profiles through a running Worker. The import expects the generation that the task was just written
 * as, so it fails if the task is written again meanwhile.
 *
 * @param replace whether existing profiles are deleted if they were learnt with another head
 */
export async function pushToWorker(
  options: WorkerOptions,
  { name, task, profiles }: TaskFiles,
  replace: boolean,
): Promise<PushResult> {
  const generation = await putTaskInWorker(options, name, task, replace);
  return { generation, counts: await uploadProfiles(options, name, { path: profiles, ifTaskGeneration: generation }) };
}
