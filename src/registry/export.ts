import { formatProfile } from "../exchange.ts";
import type { ProfileRegistry } from "./profiles.ts";

/** Profiles read at once: some hundred kilobytes. */
const PAGE = 500;

/**
 * Writes a task's profiles as `profiles.ndjson` has them, by id. They are read page by page: a profile that is written
 * meanwhile is there as it was or as it is, never as a mixture.
 *
 * @param prefix what the ids start with; empty for all
 * @returns lines, many at once, each with its end
 * @throws XpeftError `unknown_task` before the first line, `database_unavailable`
 */
export async function* exportProfiles(registry: ProfileRegistry, task: string, prefix: string): AsyncGenerator<string> {
  let after: string | null = "";
  while (after !== null) {
    const { items, next } = await registry.list(task, { limit: PAGE, after }, prefix);
    yield items.map((profile) => `${formatProfile(task, profile)}\n`).join("");
    after = next;
  }
}
