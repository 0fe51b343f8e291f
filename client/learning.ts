import { EventSourceParserStream } from "eventsource-parser/stream";
import type { ClientResponse } from "hono/client";
import type { LearnProgress, Learnt, Problem } from "./api.ts";
import { ProblemError, unexpectedAnswerMessage } from "./problem.ts";

/**
 * Waits for a learning. To end it before, and write nothing, abort its request.
 *
 * @param onProgress is told where it is, about twice a second
 * @returns what was learnt
 * @throws ProblemError if it is refused, or fails on its way
 * @throws Error if it breaks off
 * @example
 * const me = client.v1.profiles[":task"][":profile"].learn;
 * const learnt = await learning(me.$post({ param: { task: "offense", profile: "me" }, json: { examples } }), ({ done }) => console.log(done));
 */
export async function learning(
  asked: ClientResponse<unknown> | Promise<ClientResponse<unknown>>,
  onProgress: (progress: LearnProgress) => void = () => {},
): Promise<Learnt> {
  const response = await asked;
  if (!response.ok) throw await unexpectedAnswerMessage(response);
  const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  // Not every browser can iterate a stream.
  const reader = events?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    const { event, data } = next.value;
    if (event === "problem") throw new ProblemError(JSON.parse(data) as Problem);
    if (event === "learnt") return JSON.parse(data) as Learnt;
    if (event === "progress") onProgress(JSON.parse(data) as LearnProgress);
  }
  throw new Error(`${response.url} broke off before the learning was done.`);
}
