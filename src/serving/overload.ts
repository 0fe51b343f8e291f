import { XpeftError } from "../errors.ts";

/**
 * Most tokens that wait for the encoder of an isolate at once: some 5 to 10 s of it. What comes beyond is refused, but for
 * the texts of streams; a request of more than half of it is let in where half is free.
 */
export const MAX_TOKENS_IN_FLIGHT = 8 * 1024;

/** About what the encoder takes for a token: 0.6 in short texts, 1.2 in those of 512. A Worker's clock cannot tell it. */
const MILLISECONDS_A_TOKEN = 1;

/**
 * A request that came while there was no room for it.
 *
 * @param what what there is no room for
 * @param hint what to do
 * @param retryAfterSeconds after which there may be room; in the error's facts
 */
export function overloadedError(what: string, hint: string, retryAfterSeconds: number): XpeftError {
  const message = `The service has as many ${what} at once as it can.`;
  return new XpeftError("overloaded", message, hint, { facts: { retryAfterSeconds } });
}

/** {@link overloadedError} for texts. @param waiting tokens that wait for the encoder */
export function tooManyTokensError(waiting: number): XpeftError {
  const seconds = Math.max(1, Math.ceil((waiting * MILLISECONDS_A_TOKEN) / 1000));
  const hint =
    "Send the request again after retryAfterSeconds, or send its texts as a stream: they wait for their turn.";
  return overloadedError("texts", hint, seconds);
}
