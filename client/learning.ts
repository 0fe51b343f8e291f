import { EventSourceParserStream } from "eventsource-parser/stream";
import type { ClientResponse } from "hono/client";
import type { LearnProgress, Learnt, Problem } from "./api.ts";
import { ProblemError, readError } from "./problem.ts";

/**
 * Waits until a profile is learnt and returns the result. Abort the request to cancel learning; nothing is written then.
 *
 * @param pending a call of the client's `learn` route
 * @param onProgress is called with the progress, about twice a second
 * @throws ProblemError if the service rejects the request, or learning fails
 * @throws Error if the connection ends before the result arrives
 * @example
 * const me = client.v1.profiles[":task"][":profile"].learn;
 * const learnt = await learning(me.$post({ param: { task: "offense", profile: "me" }, json: { examples } }), ({ done }) => console.log(done));
 */
export async function learning(
  pending: ClientResponse<unknown> | Promise<ClientResponse<unknown>>,
  onProgress: (progress: LearnProgress) => void = () => {},
): Promise<Learnt> {
  const response = await pending;
  if (!response.ok) throw await readError(response);
  const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  // Not every browser can iterate a stream.
  const reader = events?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    const { event, data } = next.value;
    if (event === "problem") throw new ProblemError(JSON.parse(data) as Problem);
    if (event === "learnt") return JSON.parse(data) as Learnt;
    if (event === "progress") onProgress(JSON.parse(data) as LearnProgress);
  }
  throw new Error(`${response.url} closed the connection before the profile was learnt.`);
}
