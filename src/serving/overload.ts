import { XpeftError } from "../errors.ts";
import { type Budget, createBudget, type Reservation } from "../lib/budget.ts";

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

/** Many times as long as a text waits for its turn. */
const FORGET_TOKENS_MS = 60_000;

/** Creates the budget of the tokens of accepted texts that the encoder has not read yet. */
export const createTokenBudget = (): Budget =>
  createBudget({ limit: MAX_TOKENS_IN_FLIGHT, forgetAfterMs: FORGET_TOKENS_MS });

/** Reserves the tokens of a request. @throws XpeftError `overloaded` if they do not fit */
export function reserveTokens(tokensInFlight: Budget, tokens: number): Reservation {
  const reservation = tokensInFlight.tryReserve(tokens);
  if (!reservation) throw tooManyTokensError(tokensInFlight.inUse());
  return reservation;
}

/**
 * The most bytes that fan-outs hold in an isolate: about 140 of them with short texts, or 19 with texts of 512 tokens in
 * the default bundle.
 */
const MAX_FAN_OUT_BYTES = 16 * 1024 * 1024;

/** Bytes of a fan-out beside its text: the lines of a page that its caller has not read yet. */
const FAN_OUT_BYTES = 64 * 1024;

/** Bytes of a line that is held until the last profile. */
const FAN_OUT_LINE_BYTES = 200;

/** Fan-outs take turns of some hundred milliseconds. */
const FAN_OUT_RETRY_SECONDS = 5;

/** Longer than a caller takes to read a page's lines. */
const FORGET_FAN_OUT_MS = 10 * 60_000;

/** Creates the budget of what fan-outs hold. */
export const createFanOutBudget = (): Budget =>
  createBudget({ limit: MAX_FAN_OUT_BYTES, forgetAfterMs: FORGET_FAN_OUT_MS });

/**
 * Reserves what a fan-out holds.
 *
 * @param top lines that it holds until the last profile
 * @throws XpeftError `overloaded` if it does not fit
 */
export function reserveFanOut(held: Budget, textBytes: number, top: number): Reservation {
  const reservation = held.tryReserve(textBytes + FAN_OUT_BYTES + top * FAN_OUT_LINE_BYTES);
  if (reservation) return reservation;
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const message = `At capacity: fan-outs hold ${mebibytes(held.inUse())}; the limit is ${mebibytes(MAX_FAN_OUT_BYTES)}.`;
  throw new XpeftError("overloaded", message, {
    reason: "fan-outs",
    facts: { retryAfterSeconds: FAN_OUT_RETRY_SECONDS },
  });
}
