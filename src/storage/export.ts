import { formatProfile } from "../profiles/file-format.ts";
import type { ProfileRegistry } from "./profiles.ts";

/** Profiles read at once: some hundred kilobytes. */
const PAGE = 500;

/** Which of a task's profiles are exported. */
export interface ExportQuery {
  /** What the ids start with; empty for all. */
  readonly prefix: string;
  /** Only those whose ids come after; empty for all. */
  readonly after?: string;
  /** The most of them; all unless it is said. */
  readonly most?: number | undefined;
}

/**
 * Writes a task's profiles as `profiles.ndjson` has them, by id. They are read page by page: a profile that is written
 * meanwhile is there as it was or as it is, never as a mixture.
 *
 * @returns lines, many at once, each with its end
 * @throws XpeftError `unknown_task` before the first line, `database_unavailable`
 */
export async function* exportProfiles(
  registry: ProfileRegistry,
  task: string,
  { prefix, after: start = "", most = Number.POSITIVE_INFINITY }: ExportQuery,
): AsyncGenerator<string> {
  let after: string | null = start;
  for (let left = most; after !== null && left > 0; ) {
    const { items, next } = await registry.list(task, { limit: Math.min(PAGE, left), after }, prefix);
    yield items.map((profile) => `${formatProfile(task, profile)}\n`).join("");
    after = next;
    left -= items.length;
  }
}
