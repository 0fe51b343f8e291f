import { XpeftError } from "../errors.ts";

/** Where a learning is. */
export interface LearnProgress {
  /** Choosing the start; learning with some examples left out, to see what helps; learning from all of them. */
  readonly phase: "start" | "left-out" | "all";
  /** Passes over the examples that are done in this phase, of how many. */
  readonly pass: number;
  readonly passes: number;
  /** Mean cross entropy of the last pass's texts, in nats; null before there is one. */
  readonly loss: number | null;
  /** Of the examples that were left out so far, 0 to 1; null before there are any. */
  readonly leftOutAccuracy: number | null;
  /** Share of the work that is done, 0 to 1. */
  readonly done: number;
  readonly secondsLeft: number;
}

/** What a learning's surroundings do for it. */
export interface LearnHooks {
  /** Is told where the learning is, twice a second or more often. Whatever it throws ends the learning. */
  onProgress(progress: LearnProgress): Promise<void>;
  /** Ends the learning. */
  readonly signal: AbortSignal;
  /** Seconds that it may take, of all that is done meanwhile. */
  readonly budgetSeconds: number;
}

const TELL_MS = 400;

/** Pauses after each text. A request takes several turns of its own, at a limiter or a database, and would wait for a text at each. */
const TURNS = 4;

/** What reading a text takes, there and back: its weights made fp32, and each token. Of a slow machine; a Worker's clock is no help. */
const READ_MS = 10;
const TOKEN_MS = 0.4;

/** Milliseconds that reading texts of so many tokens takes, about, with the way back. */
export const estimateReadMs = (tokens: number): number => READ_MS + TOKEN_MS * tokens;

/** Keeps count of a learning's work, and lets others have their turn. */
export interface WorkTracker {
  /** Is to be awaited after each text. @throws XpeftError `learning_too_long`; or the signal's reason */
  afterText(ms: number): Promise<void>;
  /** Says what the next reports tell. */
  at(where: Partial<Pick<LearnProgress, "phase" | "pass" | "passes" | "loss" | "leftOutAccuracy">>): void;
}

/** Times the budget that work may be guessed to take: the guess is of a slow machine, and the clock decides in the end. */
const GUESS_MARGIN = 2;

/**
 * Begins the work.
 *
 * @param totalMs what all of it takes, about
 * @throws XpeftError `learning_too_long` if that is far more than the budget
 */
export function trackWork(totalMs: number, { onProgress, signal, budgetSeconds }: LearnHooks): WorkTracker {
  if (totalMs / 1000 > GUESS_MARGIN * budgetSeconds) throw tooLong(budgetSeconds);
  let where: Omit<LearnProgress, "done" | "secondsLeft"> = {
    phase: "start",
    pass: 0,
    passes: 0,
    loss: null,
    leftOutAccuracy: null,
  };
  let doneMs = 0;
  const start = Date.now();
  let told = Number.NEGATIVE_INFINITY;
  return {
    async afterText(ms) {
      doneMs += ms;
      // ONNX Runtime waits for nothing outside: without a pause no other request would even be read, and no clock would move.
      for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
      signal.throwIfAborted();
      const now = Date.now();
      if ((now - start) / 1000 > budgetSeconds) throw tooLong(budgetSeconds);
      if (now - told < TELL_MS) return;
      told = now;
      const done = Math.min(1, doneMs / totalMs);
      const perMs = now > start ? (now - start) / doneMs : 1;
      const secondsLeft = Math.ceil((Math.max(0, totalMs - doneMs) * perMs) / 1000);
      await onProgress({ ...where, done, secondsLeft });
    },
    at(next) {
      where = { ...where, ...next };
    },
  };
}

function tooLong(budgetSeconds: number): XpeftError {
  return new XpeftError("learning_too_long", `Learning takes longer than its budget of ${budgetSeconds} seconds.`);
}
