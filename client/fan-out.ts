import type { FanOutCounts, FanOutMatch, Problem } from "./api.ts";
import type { Client } from "./client.ts";
import { lines } from "./lines.ts";
import { ProblemError } from "./problem.ts";

/** A text, and the profiles that label it. */
export type FanOutRequest = Parameters<Client["v1"]["fanout"]["$post"]>[0]["json"];

/** What a profile says of the text, or why it says nothing. */
export type FanOutLine = FanOutMatch | { readonly profile: string; readonly error: Problem };

/** How often in a row an answer may be cut off without anything new in it. */
const MAX_CUTS = 5;

/** Milliseconds before an answer is resumed, times the cuts in a row. */
const PAUSE_MS = 300;

/**
 * Labels a text under many profiles, and yields a line for each profile that passes the filter, once. If the answer is
 * cut off, or a request ends before the last profile, it is resumed. Leaving the loop early ends the request. With
 * `top`, lines with a label come at the end: the best of all profiles.
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
  const { top } = request;
  let after = request.after ?? "";
  let etag: string | null = null;
  /** The counts of all profiles up to `after`, and with `top` the best of these. */
  let counted: FanOutCounts | undefined;
  let best: FanOutMatch[] = [];
  /** Profiles behind `after` that have a line already. */
  const yielded = new Set<string>();
  const send = async () => {
    const json = { ...request, after };
    const response = await client.v1.fanout.$post({ json, header: etag === null ? {} : { "if-match": etag } });
    etag ??= response.headers.get("etag");
    return response;
  };
  for (let cuts = 0; ; ) {
    const before = counted;
    const cut: { error?: unknown } = {};
    let isWhole = false;
    const matches: FanOutMatch[] = [];
    for await (const line of untilCut(send, cut)) {
      if ("done" in line) {
        const counts = sumOf(before, line, top);
        onCounts(counts);
        // Only the end of a request says which of its profiles are the best.
        if (top !== undefined && !line.done) continue;
        cuts = 0;
        isWhole = line.done;
        if (top !== undefined) best = bestOf([...best, ...matches], top);
        if (line.done && line.next === null) {
          yield* best;
          return counts;
        }
        counted = counts;
        after = line.next ?? after;
        yielded.clear();
      } else if (top !== undefined && "label" in line) {
        matches.push(line);
      } else if (!yielded.has(line.profile)) {
        cuts = 0;
        yielded.add(line.profile);
        yield line;
      }
    }
    if (isWhole) continue;
    if (etag === null || ++cuts > MAX_CUTS) throw cut.error ?? new Error("The answer ended before its last line.");
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * cuts));
  }
}

/** Returns the best matches in the service's order: equal scores by id. */
function bestOf(matches: FanOutMatch[], top: number): FanOutMatch[] {
  return matches.sort((a, b) => b.score - a.score || (a.profile < b.profile ? -1 : 1)).slice(0, top);
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

/** Adds the counts of a request to those of the requests before. No more than `top` match. */
function sumOf(before: FanOutCounts | undefined, counts: FanOutCounts, top = Number.POSITIVE_INFINITY): FanOutCounts {
  if (!before) return counts;
  const labels = Object.entries(counts.labels).map(([label, count]) => [label, count + (before.labels[label] ?? 0)]);
  return {
    ...counts,
    profiles: before.profiles + counts.profiles,
    matched: Math.min(top, before.matched + counts.matched),
    failed: before.failed + counts.failed,
    labels: Object.fromEntries(labels),
  };
}
