import { formatProfile } from "../profiles/file-format.ts";
import { profileTaskOf } from "../profiles/profile-task.ts";
import type { ProfileRegistry } from "./profiles.ts";
import type { TaskRegistry } from "./tasks.ts";

/** The most profiles of a query: tens of kilobytes in most tasks. A page of large profiles has fewer. */
const PAGE = 500;

/** Which of a task's profiles are exported. */
export interface ExportQuery {
  /** Prefix of the ids; empty for all. */
  readonly prefix: string;
  /** Only profiles whose ids come after this one; empty for all. */
  readonly after?: string;
  /** The most profiles; all by default. */
  readonly limit?: number | undefined;
}

/**
 * Yields a task's profiles as lines of `profiles.ndjson`, by id. They are read page by page: a profile that is written
 * meanwhile appears as it was before or after, with the hash of the head that it was trained with.
 *
 * @returns many lines at a time, each with its end
 * @throws XpeftError `unknown_task` or `invalid_row` before the first line, `database_unavailable`
 */
export async function* exportProfiles(
  { tasks, profiles }: { readonly tasks: Pick<TaskRegistry, "get">; readonly profiles: ProfileRegistry },
  name: string,
  { prefix, after: start = "", limit = Number.POSITIVE_INFINITY }: ExportQuery,
): AsyncGenerator<string> {
  let after: string | null = start;
  let task = { name, headHash: "", generation: 0 };
  for (let remaining = limit; after !== null && remaining > 0; ) {
    const query = { limit: Math.min(PAGE, remaining), after };
    const { items, next, taskGeneration } = await profiles.list(name, query, prefix);
    if (taskGeneration !== task.generation) {
      const stored = await tasks.get(name);
      task = { ...(await profileTaskOf(stored)), generation: stored.generation };
      // The task was written after the page was read, which may be of the head before.
      if (taskGeneration !== task.generation) continue;
    }
    yield items.map((profile) => `${formatProfile(task, profile)}\n`).join("");
    after = next;
    remaining -= items.length;
  }
}
