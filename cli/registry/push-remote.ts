import { ProblemError, unwrap } from "../../client/index.ts";
import { readText } from "../../node/files.ts";
import { openService, type ServiceOptions } from "../service.ts";
import { type ImportCounts, uploadProfiles } from "./profiles-bulk.ts";

/** Files of a task and its profiles. */
export interface TaskFiles {
  /** The task's name. */
  readonly name: string;
  /** Its `task.json`. */
  readonly task: string;
  /** Its `profiles.ndjson`. */
  readonly profiles: string;
}

/**
 * Writes a task and its profiles through a running Worker. The profiles go under the very generation that the task was written as:
 * where someone else writes it meanwhile, the import is refused.
 *
 * @param replace whether profiles that are there are deleted, where they were learnt with another head
 * @returns the task's generation, and how many profiles came to what
 */
export async function pushToWorker(
  service: ServiceOptions,
  { name, task, profiles }: TaskFiles,
  replace: boolean,
): Promise<{ generation: number; sums: ImportCounts }> {
  const json = JSON.parse(await readText(task));
  const put = (fate: "keep" | "delete") =>
    unwrap(openService(service).v1.tasks[":task"].$put({ param: { task: name }, query: { profiles: fate }, json }));
  const { generation } = await put("keep").catch((error: unknown) => {
    // Profiles that go with the head as it is stay, whatever may be replaced.
    if (replace && error instanceof ProblemError && error.code === "task_has_profiles") return put("delete");
    throw error;
  });
  return { generation, sums: await uploadProfiles(service, name, { path: profiles, ifTaskGeneration: generation }) };
}
