import type { Problem } from "./api.ts";
import type { Client } from "./client.ts";
import { lines } from "./lines.ts";
import { ProblemError } from "./problem.ts";

/** A text, and the profiles that label it. */
export type FanOutRequest = Parameters<Client["v1"]["fanout"]["$post"]>[0]["json"];

/** What a profile says of the text, or why it says nothing. */
export type FanOutLine =
  | { readonly profile: string; readonly label: string; readonly score: number; readonly generation: number }
  | { readonly profile: string; readonly error: Problem };

/** What was read so far. */
export interface FanOutCounts {
  readonly done: boolean;
  /** Profiles that were read. */
  readonly profiles: number;
  /** Lines with a label. */
  readonly matched: number;
  /** Lines with an error. */
  readonly failed: number;
  /** How many profiles give each label, whatever the filter. */
  readonly labels: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly truncated: boolean;
  /** The last profile that was read, if there may be more; otherwise null. At the end only with `top`. */
  readonly next: string | null;
}

/** How often in a row an answer may be cut off without anything new in it. */
const MAX_CUTS = 5;

/** Milliseconds before an answer is resumed, times the cuts in a row. */
const PAUSE_MS = 300;

/**
 * Labels a text under many profiles, and yields a line for each profile that passes the filter, once. If the answer is
 * cut off, or a request ends before the last profile, it is resumed. Leaving the loop early ends the request.
 *
 * @param onCounts is called with the counts so far, after every 500 profiles
 * @returns the counts of all profiles
 * @throws ProblemError if the service rejects the request or fails; `generation_mismatch` if the task was written
 * before the answer was resumed
 * @throws Error if the answer is cut off several times in a row
 * @example
 * const answer = fanOut(client, { task: "inbox", text: "Your electricity bill is attached", profiles: "all" });
 * for await (const line of answer) console.log(line.profile, "error" in line ? line.error.detail : line.label);
 */
export async function* fanOut(
  client: Client,
  request: FanOutRequest,
  onCounts: (counts: FanOutCounts) => void = () => {},
): AsyncGenerator<FanOutLine, FanOutCounts> {
  // What `top` chooses from must be read again as a whole.
  const resumes = request.top === undefined;
  let after = request.after ?? "";
  let etag: string | null = null;
  let total: FanOutCounts | undefined;
  /** Profiles with a line after the last counts. */
  const yielded = new Set<string>();
  const send = async () => {
    const json = { ...request, ...(resumes && { after }) };
    const response = await client.v1.fanout.$post({ json, header: etag === null ? {} : { "if-match": etag } });
    etag ??= response.headers.get("etag");
    return response;
  };
  for (let cuts = 0; ; ) {
    const before = resumes ? total : undefined;
    const cut: { error?: unknown } = {};
    let isWhole = false;
    for await (const line of untilCut(send, cut)) {
      cuts = 0;
      if ("done" in line) {
        total = sumOf(before, line);
        isWhole = line.done;
        onCounts(total);
        if (line.done && (line.next === null || !resumes)) return total;
        if (resumes) yielded.clear();
        after = line.next ?? after;
      } else if (!yielded.has(line.profile)) {
        yielded.add(line.profile);
        yield line;
      }
    }
    if (isWhole) continue;
    if (etag === null || ++cuts > MAX_CUTS) throw cut.error ?? new Error("The answer ended before its last line.");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * cuts));
  }
}

type Line = FanOutLine | FanOutCounts;

/** Yields lines as they arrive. If the answer is cut off, it ends, and says why in `cut`. */
async function* untilCut(send: () => ReturnType<Client["v1"]["fanout"]["$post"]>, cut: { error?: unknown }) {
  const answer = lines<Line>(send());
  try {
    while (true) {
      const { done, value } = await answer.next();
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    cut.error = error;
  } finally {
    await answer.return(undefined);
  }
}

/** Adds the counts of a request to those of the requests before. */
function sumOf(before: FanOutCounts | undefined, counts: FanOutCounts): FanOutCounts {
  if (!before) return counts;
  const labels = Object.entries(counts.labels).map(([label, count]) => [label, count + (before.labels[label] ?? 0)]);
  return {
    ...counts,
    profiles: before.profiles + counts.profiles,
    matched: before.matched + counts.matched,
    failed: before.failed + counts.failed,
    labels: Object.fromEntries(labels),
  };
}
