import type { StoredProfile } from "./profile.ts";
import type { Task } from "./task.ts";

/** A task and profiles of it, read at the same moment. */
export interface TaskAndProfiles {
  /** The task's generation; null if it does not exist. */
  readonly generation: number | null;
  /** The task; null if it does not exist, or is still at the known generation. */
  readonly task: Task | null;
  /** The profiles that exist, by id. */
  readonly profiles: ReadonlyMap<string, StoredProfile>;
}

/** What predictions need of the database. */
export interface ProfileStore {
  /**
   * Returns a task and any number of its profiles, by one query.
   *
   * @param ids different ids; there may be none
   * @param known the generation of the task that the caller already has: that task is not read again
   * @throws XpeftError `invalid_row` if what is stored cannot be read, `database_unavailable`
   */
  read(task: string, ids: readonly string[], known: number | null): Promise<TaskAndProfiles>;
}
