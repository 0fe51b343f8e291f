import type { ClientResponse } from "hono/client";
import { ProblemError, unexpectedAnswerMessage } from "./problem.ts";

/**
 * Reads an answer of JSON Lines as it comes: of `predict/stream`, an import or an export.
 *
 * @returns what each line holds; a line that failed for itself is among them, with its `error`
 * @throws ProblemError if it is an error answer, or if the stream breaks off with one
 * @example
 * const response = client.v1.predict.stream.$post(
 *   { query: { task: "news", profile: "news-000" } },
 *   { headers: { "content-type": "application/x-ndjson" }, init: { body: '{"text":"A text"}\n' } },
 * );
 * for await (const line of lines<{ label?: string }>(response)) console.log(line.label);
 */
export async function* lines<Line extends object>(
  asked: ClientResponse<unknown> | Promise<ClientResponse<unknown>>,
): AsyncGenerator<Line> {
  const response = await asked;
  if (!response.ok) throw await unexpectedAnswerMessage(response);
  const decoder = new TextDecoder();
  let held = "";
  const reader = response.body?.getReader();
  for (let end = reader === undefined; !end; ) {
    const piece = await reader?.read();
    end = piece?.done ?? true;
    held += piece?.value ? decoder.decode(piece.value, { stream: true }) : "";
    const whole = held.split("\n");
    held = whole.pop() ?? "";
    for (const line of whole) yield read<Line>(line);
  }
  if (held.trim() !== "") throw new Error(`${response.url} broke off in the middle of a line.`);
}

function read<Line extends object>(text: string): Line {
  const line: Line = JSON.parse(text);
  // An error that is of no line is of the stream.
  if ("error" in line && Object.keys(line).length === 1) throw new ProblemError(line.error as ProblemError["problem"]);
  return line;
}
