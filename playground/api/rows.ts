import type { Profile } from "./answers.ts";
import { requestJson } from "./request.ts";

const ROWS_A_PAGE = 1000;

/** Returns pages of a task's profiles, by id. @param limit the most profiles of all pages together */
export async function* profilePages(
  task: string,
  signal: AbortSignal,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly Profile[]> {
  let rest = limit;
  for (let after: string | null = ""; after !== null && rest > 0; ) {
    const query = new URLSearchParams({ limit: String(Math.min(ROWS_A_PAGE, rest)), after });
    const page: { profiles: Profile[]; next: string | null } = await requestJson(`/v1/profiles/${task}?${query}`, {
      signal,
    });
    yield page.profiles;
    rest -= page.profiles.length;
    after = page.next;
  }
}
