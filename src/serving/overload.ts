import { XpeftError } from "../errors.ts";

/**
 * Most tokens that wait for the encoder of an isolate at once: some 5 to 10 s of it. What comes beyond is refused, but for
 * the texts of streams; a request of more than half of it is let in where half is free.
 */
export const MAX_TOKENS_IN_FLIGHT = 8 * 1024;

/** About what the encoder takes for a token: 0.6 in short texts, 1.2 in those of 512. A Worker's clock cannot tell it. */
const MILLISECONDS_A_TOKEN = 1;

/** The error of a request whose tokens exceed the capacity. @param inFlight tokens that wait for the encoder */
export function tooManyTokensError(inFlight: number): XpeftError {
  const retryAfterSeconds = Math.max(1, Math.ceil((inFlight * MILLISECONDS_A_TOKEN) / 1000));
  const message = `At capacity: ${inFlight} tokens are in flight; the limit is ${MAX_TOKENS_IN_FLIGHT}.`;
  return new XpeftError("overloaded", message, { reason: "tokens", facts: { retryAfterSeconds } });
}
