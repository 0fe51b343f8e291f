import { formatProfile } from "../profiles/file-format.ts";
import type { ProfileRegistry } from "./profiles.ts";

/** Profiles of one query: some hundred kilobytes. */
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
 * meanwhile appears as it was before or after, never as a mixture.
 *
 * @returns many lines at a time, each with its end
 * @throws XpeftError `unknown_task` before the first line, `database_unavailable`
 */
export async function* exportProfiles(
  registry: ProfileRegistry,
  task: string,
  { prefix, after: start = "", limit = Number.POSITIVE_INFINITY }: ExportQuery,
): AsyncGenerator<string> {
  let after: string | null = start;
  for (let remaining = limit; after !== null && remaining > 0; ) {
    const { items, next } = await registry.list(task, { limit: Math.min(PAGE, remaining), after }, prefix);
    yield items.map((profile) => `${formatProfile(task, profile)}\n`).join("");
    after = next;
    remaining -= items.length;
  }
}
