import { EventSourceParserStream } from "eventsource-parser/stream";
import type { ClientResponse } from "hono/client";
import type { LearnProgress, LearnTaskProgress, Learnt, LearntTask, Problem } from "./api.ts";
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
export const learning = (
  pending: ClientResponse<unknown> | Promise<ClientResponse<unknown>>,
  onProgress: (progress: LearnProgress) => void = () => {},
): Promise<Learnt> => readEvents(pending, onProgress);

/**
 * Waits until a task is learnt and returns the result. Abort the request to cancel learning; nothing is written then.
 *
 * @param pending a call of the client's `learn` route of a task
 * @param onProgress is called with the progress, about twice a second
 * @throws ProblemError if the service rejects the request, or learning fails
 * @throws Error if the connection ends before the result arrives
 * @example
 * const { learn } = client.v1.tasks[":task"];
 * const { heldOut } = await learningTask(learn.$post({ param: { task: "helpdesk" }, query: {}, json: { examples } }));
 */
export const learningTask = (
  pending: ClientResponse<unknown> | Promise<ClientResponse<unknown>>,
  onProgress: (progress: LearnTaskProgress) => void = () => {},
): Promise<LearntTask> => readEvents(pending, onProgress);

async function readEvents<Progress, Result>(
  pending: ClientResponse<unknown> | Promise<ClientResponse<unknown>>,
  onProgress: (progress: Progress) => void,
): Promise<Result> {
  const response = await pending;
  if (!response.ok) throw await readError(response);
  const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  // Not every browser can iterate a stream.
  const reader = events?.getReader();
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    const { event, data } = next.value;
    if (event === "problem") throw new ProblemError(JSON.parse(data) as Problem);
    if (event === "learnt") return JSON.parse(data) as Result;
    if (event === "progress") onProgress(JSON.parse(data) as Progress);
  }
  throw new Error(`${response.url} closed the connection before learning ended.`);
}
