import type { Problem, StreamLine } from "../shared/answers.ts";
import { ApiError, request } from "../shared/api.ts";
import { jsonLinesOf } from "../shared/streams.ts";

interface LabelOptions {
  readonly task: string;
  readonly profile: string;
  readonly signal: AbortSignal;
  /** Is called after each text. */
  onLabelled(): void;
}

/**
 * Labels texts as a profile.
 *
 * @returns a label per text; null for a text with a problem of its own
 * @throws ApiError if no text could be labelled
 * @throws Error if the answer ends early
 */
export async function labelTexts(texts: readonly string[], options: LabelOptions): Promise<(string | null)[]> {
  const { task, profile, signal, onLabelled } = options;
  const response = await request(`/v1/predict/stream?${new URLSearchParams({ task, profile })}`, {
    headers: { "content-type": "application/x-ndjson" },
    body: texts.map((text) => `${JSON.stringify({ text })}\n`).join(""),
    signal,
  });
  const labels: (string | null)[] = [];
  let problem: Problem | null = null;
  for await (const { line, label, error } of jsonLinesOf<StreamLine>(response)) {
    if (line === undefined) {
      // A problem of no line is the stream's, and ends it.
      if (error) throw new ApiError(error);
      continue;
    }
    labels.push(label ?? null);
    problem ??= error ?? null;
    onLabelled();
  }
  if (labels.length !== texts.length) throw new Error("The answer ended early. Try again.");
  if (problem && labels.every((label) => label === null)) throw new ApiError(problem);
  return labels;
}
