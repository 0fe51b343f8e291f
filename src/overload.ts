import { XpeftError } from "./errors.ts";

/**
 * Most tokens that wait for the encoder of an isolate at once: some 5 to 10 s of it. What comes beyond is refused, but for
 * the texts of streams; a request that has more for itself is let in where nothing waits.
 */
export const MAX_WAITING_TOKENS = 8 * 1024;

/** About what the encoder takes for a token: 0.6 in short texts, 1.2 in those of 512. A Worker's clock cannot tell it. */
const MILLISECONDS_A_TOKEN = 1;

/**
 * A request that came while there was no room for it.
 *
 * @param what what there is no room for
 * @param waitingTokens tokens that wait for the encoder; the error's facts have the seconds that they take, at least 1
 */
export function overloaded(what: string, waitingTokens: number): XpeftError {
  const retryAfterSeconds = Math.max(1, Math.ceil((waitingTokens * MILLISECONDS_A_TOKEN) / 1000));
  return new XpeftError(
    "overloaded",
    `The service has ${what} at once as it can.`,
    "Send the request again after as many seconds as Retry-After says, or send a stream, which waits by itself.",
    { facts: { retryAfterSeconds } },
  );
}
