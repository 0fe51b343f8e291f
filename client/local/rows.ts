import type { ClientResponse } from "hono/client";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { XpeftError } from "../../src/errors.ts";
import { fromBase64 } from "../../src/lib/base64.ts";
import { checkProfileFields, parseStoredTask } from "../../src/profiles/file-format.ts";
import type { StoredProfile } from "../../src/profiles/profile.ts";
import type { ProfileStore, TaskAndProfiles } from "../../src/profiles/profile-store.ts";
import { type ProfileTask, profileTaskOf } from "../../src/profiles/profile-task.ts";
import type { Task } from "../../src/profiles/task.ts";
import type { Client } from "../client.ts";
import { ProblemError, unwrap } from "../problem.ts";
import { successful, UNCACHED } from "./service.ts";

/** Rows of a service. Each is read once, whether it exists or not, until all are forgotten. */
export interface RemoteRows extends ProfileStore {
  /**
   * Returns a task and those of the profiles that exist.
   *
   * @throws ProblemError if the service answers with an error
   * @throws XpeftError `bundle_mismatch`, `mismatched_write`, `invalid_row`, `invalid_mask` or `invalid_label_bias` if a
   * row does not fit the bundle; `head_mismatch` if the task is replaced while its profiles are read
   * @throws UnreachableError
   * @throws TypeError if no path can hold a name
   */
  read(task: string, ids: readonly string[]): Promise<TaskAndProfiles>;

  /** Forgets all rows. */
  forget(): void;
}

/** A task with those of its profiles that were read; null for one that does not exist. */
interface ReadTask {
  readonly task: Task;
  readonly profileTask: ProfileTask;
  readonly profiles: Map<string, StoredProfile | null>;
}

/** Returns what a request gives; null if the service has no such row. */
async function unlessUnknown<Row>(row: Promise<Row>, code: string): Promise<Row | null> {
  return await row.catch((error: unknown) => {
    if (error instanceof ProblemError && error.code === code) return null;
    throw error;
  });
}

/** Returns the generation of an entity tag; proxies that compress make tags weak. @throws Error if there is none */
function generationOf(response: ClientResponse<unknown>): number {
  const [, digits] = response.headers.get("etag")?.match(/^(?:W\/)?"(\d+)"$/) ?? [];
  if (digits === undefined) throw new Error(`${response.url} has no generation in its header etag.`);
  return Number(digits);
}

/** Creates a reader of a service's rows, each of which is checked against the bundle. */
export function createRemoteRows(client: Client, bundle: Bundle): RemoteRows {
  let tasks = new Map<string, Promise<ReadTask | null>>();

  async function requestTask(name: string): Promise<ReadTask> {
    const response = await successful(client.v1.tasks[":task"].$get({ param: { task: name } }, UNCACHED));
    const text = await response.text();
    const row: { bundle: string } = JSON.parse(text);
    if (!bundle.taskBundles.includes(row.bundle)) {
      const message = `Task "${name}" is of bundle ${row.bundle} now, and this is bundle ${bundle.id}. Open the predictor again.`;
      throw new XpeftError("bundle_mismatch", message);
    }
    const task = parseStoredTask(text, bundle);
    const generation = generationOf(response);
    return { task: { ...task, generation }, profileTask: await profileTaskOf(task), profiles: new Map() };
  }

  /** Returns a task, which is requested once; after a failure, again. */
  async function readTask(name: string): Promise<ReadTask | null> {
    const current = tasks;
    const reading = current.get(name) ?? unlessUnknown(requestTask(name), "unknown_task");
    current.set(name, reading);
    return await reading.catch((error: unknown) => {
      current.delete(name);
      throw error;
    });
  }

  async function requestProfile({ task, profileTask }: ReadTask, id: string): Promise<StoredProfile> {
    const param = { task: task.name, profile: id };
    const answer = await unwrap(client.v1.profiles[":task"][":profile"].$get({ param }, UNCACHED));
    const { headHash, generation, updatedAt } = answer;
    const masks = fromBase64(answer.masks);
    const labelBias = answer.labelBias === null ? null : fromBase64(answer.labelBias);
    const parts = checkProfileFields({ task: task.name, profile: id, headHash, masks, labelBias }, profileTask, bundle);
    return { ...parts, task: task.name, generation, updatedAt: new Date(updatedAt) };
  }

  async function read(name: string, ids: readonly string[]): Promise<TaskAndProfiles> {
    const known = await readTask(name);
    if (!known) return { generation: null, task: null, profiles: new Map() };
    const { task, profiles } = known;
    const missing = ids.filter((id) => !profiles.has(id));
    await Promise.all(
      missing.map(async (id) => {
        profiles.set(id, await unlessUnknown(requestProfile(known, id), "unknown_profile"));
      }),
    );
    const existing = ids.flatMap((id) => profiles.get(id) ?? []);
    return { generation: task.generation, task, profiles: new Map(existing.map((row) => [row.id, row])) };
  }

  return {
    async read(name, ids) {
      try {
        return await read(name, ids);
      } catch (error) {
        if (!(error instanceof XpeftError && error.code === "head_mismatch")) throw error;
        // The task was replaced since it was read.
        tasks.delete(name);
        return await read(name, ids);
      }
    },
    forget() {
      tasks = new Map();
    },
  };
}
