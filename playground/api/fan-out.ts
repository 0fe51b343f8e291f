import type { FanOutCounts, FanOutFailure, FanOutMember, Problem } from "./answers.ts";
import { ApiError, request } from "./request.ts";
import { jsonLinesOf } from "./streams.ts";

/** A text that all profiles of a task label. */
export interface FanOutRequest {
  readonly task: string;
  readonly text: string;
}

/** How often in a row an answer is resumed that was interrupted without a line more. */
const MAX_RESUMES = 5;
const RESUME_AFTER_MS = 1000;

type Line = FanOutMember | FanOutFailure | FanOutCounts | { readonly error: Problem };

/**
 * Labels a text under all profiles of a task. Yields a line for each profile, once, by id, and counts after every 500.
 * An interrupted answer is resumed. A request reads up to 25,000 profiles; others follow until there are no more.
 *
 * @throws ApiError if the service rejects the request, or ends the answer with an error
 * @throws DOMException `AbortError` if the signal is aborted
 * @throws Error if the answer is interrupted several times in a row
 */
export async function* fanOut(
  { task, text }: FanOutRequest,
  signal: AbortSignal,
): AsyncGenerator<FanOutMember | FanOutFailure | FanOutCounts> {
  let [after, resumes]: [string, number] = ["", 0];
  let etag: string | null = null;
  while (true) {
    // All lines are of one version of the task.
    const headers: Record<string, string> = etag === null ? {} : { "if-match": etag };
    const response = await request("/v1/fanout", { json: { task, text, profiles: "all", after }, headers, signal });
    etag ??= response.headers.get("etag");
    let end: FanOutCounts | null = null;
    try {
      for await (const line of jsonLinesOf<Line>(response)) {
        if ("done" in line) end = line.done ? line : null;
        else if ("profile" in line) [after, resumes] = [line.profile, 0];
        else throw new ApiError(line.error);
        yield line;
      }
    } catch (error) {
      if (signal.aborted || error instanceof ApiError) throw error;
      // The connection broke.
    }
    if (end?.next === null) return;
    if (end) after = end.next;
    else if (++resumes > MAX_RESUMES) throw new Error("The answer was interrupted. Try again.");
    else await new Promise((resolve) => setTimeout(resolve, RESUME_AFTER_MS));
  }
}
