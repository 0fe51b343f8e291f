import { EventSourceParserStream } from "eventsource-parser/stream";
import type { LearnProgress, Learnt } from "../shared/answers.ts";
import { ApiError, profilePath, request } from "../shared/api.ts";
import { piecesOf, textStreamOf } from "../shared/streams.ts";
import type { Before } from "./before.ts";
import { elements } from "./elements.ts";
import type { ProfileName } from "./predict.ts";
import { showProgress } from "./progress.ts";
import { enteredExamples } from "./rows.ts";

/** Requires the profile to be as it was read: it is what the page compares with, and what undo restores. */
function preconditionOf({ row }: Before): Record<string, string> {
  if (row === undefined) return {};
  return row ? { "if-match": `"${row.generation}"` } : { "if-none-match": "*" };
}

/**
 * Learns a profile from the entered examples, and shows the progress.
 *
 * @throws ApiError if the learning is rejected or fails
 * @throws Error if the answer ends early
 */
export async function requestLearning(
  { task, profile }: ProfileName,
  before: Before,
  signal: AbortSignal,
): Promise<Learnt> {
  const response = await request(`${profilePath(task, profile)}/learn`, {
    json: { examples: enteredExamples(), force: elements.force.checked },
    headers: preconditionOf(before),
    signal,
  });
  const events = textStreamOf(response)?.pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of piecesOf(events)) {
    if (event === "problem") throw new ApiError(JSON.parse(data));
    if (event === "learnt") return JSON.parse(data);
    showProgress(JSON.parse(data) as LearnProgress);
  }
  throw new Error("The connection closed before the learning was done. Try again.");
}
