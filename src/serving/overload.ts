import { XpeftError } from "../errors.ts";

/**
 * The most tokens in flight in an isolate: 5 to 10 s of its encoder. Requests beyond it are rejected, except the texts
 * of streams. A request of more than half of it is accepted while half is free.
 */
export const MAX_TOKENS_IN_FLIGHT = 8 * 1024;

/**
 * Estimated milliseconds of the encoder for a token: 0.6 in short texts, 1.2 in texts of 512. A Worker's clock cannot
 * measure it.
 */
const MILLISECONDS_A_TOKEN = 1;

/** Returns the error for a request whose tokens exceed the capacity. @param inFlight tokens in flight */
export function tooManyTokensError(inFlight: number): XpeftError {
  const retryAfterSeconds = Math.max(1, Math.ceil((inFlight * MILLISECONDS_A_TOKEN) / 1000));
  const message = `At capacity: ${inFlight} tokens are in flight; the limit is ${MAX_TOKENS_IN_FLIGHT}.`;
  return new XpeftError("overloaded", message, { reason: "tokens", facts: { retryAfterSeconds } });
}
