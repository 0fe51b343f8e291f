import type { ClientResponse } from "hono/client";
import { ProblemError, readError } from "./problem.ts";

/**
 * Yields the lines of a JSON Lines response as they arrive: of `predict/stream`, an import or an export.
 * A line that failed alone is yielded with its `error`. Leaving the loop early ends the request.
 *
 * @param pending a call of the client
 * @throws ProblemError if the service answers with an error, or ends the stream with one
 * @throws Error if the connection ends within a line
 * @example
 * const response = client.v1.predict.stream.$post(
 *   { query: { task: "news", profile: "news-000" } },
 *   { headers: { "content-type": "application/x-ndjson" }, init: { body: '{"text":"A text"}\n' } },
 * );
 * for await (const line of lines<{ label?: string }>(response)) console.log(line.label);
 */
export async function* lines<Line extends object>(
  pending: ClientResponse<unknown> | Promise<ClientResponse<unknown>>,
): AsyncGenerator<Line> {
  const response = await pending;
  if (!response.ok) throw await readError(response);
  // Not every browser can iterate a stream.
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
      const texts = (rest + next.value).split("\n");
      rest = texts.pop() ?? "";
      for (const text of texts) yield parseLine<Line>(text);
    }
  } finally {
    // Otherwise the service goes on for a caller who has left the loop.
    await reader?.cancel().catch(() => {});
  }
  if (rest.trim() !== "") throw new Error(`${response.url} closed the connection in the middle of a line.`);
}

function parseLine<Line extends object>(text: string): Line {
  const line: Line = JSON.parse(text);
  // An error without a line number ends the whole stream.
  if ("error" in line && Object.keys(line).length === 1) throw new ProblemError(line.error as ProblemError["problem"]);
  return line;
}
