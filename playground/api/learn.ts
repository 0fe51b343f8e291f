import { EventSourceParserStream } from "eventsource-parser/stream";
import type { LabelledText, LearnProgress, Learnt } from "./answers.ts";
import { ApiError, profilePath, request } from "./request.ts";
import { piecesOf, textStreamOf } from "./streams.ts";

interface Learning {
  readonly task: string;
  readonly profile: string;
  readonly examples: readonly LabelledText[];
  /** The generation that the profile must be at; null if it must not exist, undefined if that is not known. */
  readonly generation: number | null | undefined;
  /** Whether a profile that exists is replaced even if nothing was gained. */
  readonly force: boolean;
  readonly signal: AbortSignal;
  onProgress(progress: LearnProgress): void;
}

function preconditionOf(generation: Learning["generation"]): Record<string, string> {
  if (generation === undefined) return {};
  return generation === null ? { "if-none-match": "*" } : { "if-match": `"${generation}"` };
}

/**
 * Learns a profile from examples.
 *
 * @throws ApiError if the learning is rejected or fails
 * @throws Error if the answer ends early
 */
export async function learn({
  task,
  profile,
  examples,
  generation,
  force,
  signal,
  onProgress,
}: Learning): Promise<Learnt> {
  const response = await request(`${profilePath(task, profile)}/learn`, {
    json: { examples, force },
    headers: preconditionOf(generation),
    writes: true,
    signal,
  });
  const events = textStreamOf(response)?.pipeThrough(new EventSourceParserStream());
  try {
    for await (const { event, data } of piecesOf(events)) {
      if (event === "problem") throw new ApiError(JSON.parse(data));
      if (event === "learnt") return JSON.parse(data);
      onProgress(JSON.parse(data));
    }
  } catch (error) {
    if (signal.aborted || error instanceof ApiError) throw error;
    // The connection broke.
  }
  throw new Error("The connection closed before the learning was done. Press Learn to try again.");
}
