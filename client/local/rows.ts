import type { Bundle } from "../../src/bundle/manifest.ts";
import { XpeftError } from "../../src/errors.ts";
import { fromBase64 } from "../../src/lib/base64.ts";
import { checkProfileFields, parseStoredTask } from "../../src/profiles/file-format.ts";
import type { StoredProfile } from "../../src/profiles/profile.ts";
import { type ProfileTask, profileTaskOf } from "../../src/profiles/profile-task.ts";
import type { Task } from "../../src/profiles/task.ts";
import type { ProfileStore, TaskAndProfiles } from "../../src/storage/profile-store.ts";
import { ProblemError } from "../problem.ts";
import { get, type Service } from "./service.ts";

/** Rows of a service. Each is read once, and kept until it is forgotten. */
export interface RemoteRows extends ProfileStore {
  /**
   * Returns a task and those of the profiles that exist. The service is asked for those that were not read yet.
   *
   * @throws ProblemError if the service answers with an error
   * @throws XpeftError `mismatched_write`, `invalid_row`, `invalid_mask` or `invalid_label_bias` if a row does not fit
   * the bundle; `head_mismatch` if the task is replaced while its profiles are read
   * @throws TypeError if the service cannot be reached
   */
  read(task: string, ids: readonly string[]): Promise<TaskAndProfiles>;

  /** Forgets all rows, so that they are read again. */
  forget(): void;
}

/** A task with its profiles. */
interface ReadTask {
  readonly task: Task;
  readonly profileTask: ProfileTask;
  readonly profiles: Map<string, StoredProfile>;
}

/** What the service answers of a profile. */
interface ProfileAnswer {
  readonly masks: string;
  readonly labelBias: string | null;
  readonly headHash: string;
  readonly generation: number;
  readonly updatedAt: string;
}

/** Returns what a request gives; null if the service has no such row. */
async function unlessUnknown<Row>(row: Promise<Row>, code: string): Promise<Row | null> {
  return await row.catch((error: unknown) => {
    if (error instanceof ProblemError && error.code === code) return null;
    throw error;
  });
}

/** Creates a reader of a service's rows, each of which is checked against the bundle. */
export function createRemoteRows(service: Service, bundle: Bundle): RemoteRows {
  const known = new Map<string, ReadTask>();

  async function readTask(name: string): Promise<ReadTask> {
    const response = await get(service, `/v1/tasks/${encodeURIComponent(name)}`, { isStored: false });
    const task = parseStoredTask(await response.text(), bundle);
    const generation = Number(response.headers.get("etag")?.replaceAll('"', ""));
    return { task: { ...task, generation }, profileTask: await profileTaskOf(task), profiles: new Map() };
  }

  async function readProfile({ task, profileTask }: ReadTask, id: string): Promise<StoredProfile> {
    const path = `/v1/profiles/${encodeURIComponent(task.name)}/${encodeURIComponent(id)}`;
    const answer: ProfileAnswer = await (await get(service, path, { isStored: false })).json();
    const { headHash, generation, updatedAt } = answer;
    const [masks, labelBias] = [
      fromBase64(answer.masks),
      answer.labelBias === null ? null : fromBase64(answer.labelBias),
    ];
    const parts = checkProfileFields({ task: task.name, profile: id, headHash, masks, labelBias }, profileTask, bundle);
    return { ...parts, task: task.name, generation, updatedAt: new Date(updatedAt) };
  }

  async function read(name: string, ids: readonly string[]): Promise<TaskAndProfiles> {
    const held = known.get(name) ?? (await unlessUnknown(readTask(name), "unknown_task"));
    if (!held) return { generation: null, task: null, profiles: new Map() };
    known.set(name, held);
    const missing = ids.filter((id) => !held.profiles.has(id));
    const rows = await Promise.all(missing.map((id) => unlessUnknown(readProfile(held, id), "unknown_profile")));
    for (const row of rows) if (row) held.profiles.set(row.id, row);
    return { generation: held.task.generation, task: held.task, profiles: held.profiles };
  }

  return {
    async read(name, ids) {
      const isHeld = known.has(name);
      try {
        return await read(name, ids);
      } catch (error) {
        if (!isHeld || !(error instanceof XpeftError && error.code === "head_mismatch")) throw error;
        // The task was replaced since it was read.
        known.delete(name);
        return await read(name, ids);
      }
    },
    forget: () => known.clear(),
  };
}
