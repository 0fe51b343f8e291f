import { XpeftError } from "./errors.ts";

/**
 * Most tokens that wait for the encoder of an isolate at once: as many as the largest request has, 64 texts of 512.
 * What comes beyond is refused, but for the texts of streams.
 */
export const MAX_WAITING_TOKENS = 64 * 512;

/** About what the encoder takes for a token, short texts and long ones together; workerd's clock cannot tell it. */
const MILLISECONDS_A_TOKEN = 0.5;

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
