import { XpeftError } from "../errors.ts";
import { pause } from "../lib/pause.ts";
import { MAX_HEAD_CHANGE_RANK } from "../profiles/profile-head.ts";

/** The progress of a learning. */
export interface LearnProgress {
  /** Choosing the start; cross-validation of what helps; learning from all examples. */
  readonly phase: "start" | "left-out" | "all";
  /** Passes over the examples that are done in this phase. */
  readonly pass: number;
  /** Passes of this phase in all. */
  readonly passes: number;
  /** Mean cross entropy of the last pass's texts, in nats; null before the first pass. */
  readonly loss: number | null;
  /** Accuracy on the held-out examples so far, 0 to 1; null before the first ones. */
  readonly leftOutAccuracy: number | null;
  /** Fraction of the work that is done, 0 to 1. */
  readonly done: number;
  readonly secondsLeft: number;
}

/** What the caller of a learning provides. */
export interface LearnHooks {
  /**
   * Receives the progress twice a second or more often, and after the first text of each phase. An error that it throws
   * ends the learning.
   */
  onProgress(progress: LearnProgress): Promise<void>;
  /** Cancels the learning. */
  readonly signal: AbortSignal;
  /** Seconds that learning may take, other requests' work included. */
  readonly budgetSeconds: number;
}

/** Milliseconds between two reports. */
const REPORT_MS = 400;

/**
 * Turns of the event loop in each pause. A request needs several, at a limiter or a database, and would wait for the
 * next pause at each of them.
 */
const TURNS = 4;

/** Estimated milliseconds of work after which there is a pause. */
const YIELD_MS = 10;

/** Milliseconds of the encoder: for dequantizing the weights, and for each token. Measured on a slow machine. */
const READ_MS = 10;
const TOKEN_MS = 0.4;

/** Estimated milliseconds of a text's tail and of merging its adapters. */
export const TAIL_MS = 1;

/** Returns the estimated milliseconds in which the encoder reads a text. */
export const estimateReadMs = (tokens: number): number => READ_MS + TOKEN_MS * tokens;

/** Milliseconds of a text in training beside the encoder's blocks: masks, head, and turns for other requests. */
const TRAINING_MS = 2;

/** Milliseconds of preparing to fit a head, for each text and for each pair of texts. */
const FIT_MS = 0.2;
const FIT_PAIR_MS = 0.002;

/** Milliseconds of a fit's search for each label and number of the texts' Gram matrix. Measured on a slow machine. */
const SEARCH_MS = 4e-4;

/** Steps of a search, about. */
const SEARCH_STEPS = 20;

/** Milliseconds of packing a rank of a head change, for each number of the head. */
const RANK_MS = 4e-4;

/** The sizes of a fit. */
export interface FitSizes {
  readonly texts: number;
  readonly hidden: number;
  readonly labels: number;
}

/** Returns the estimated milliseconds in which a search fits a head to texts. */
export const estimateSearchMs = ({ texts, hidden, labels }: FitSizes): number =>
  SEARCH_MS * texts * Math.min(texts, hidden) * labels;

/** Returns the estimated milliseconds of a step of such a search. */
export const estimateStepMs = (sizes: FitSizes): number => estimateSearchMs(sizes) / SEARCH_STEPS;

/** Returns the estimated milliseconds in which a rank of a head change is packed. */
export const estimateRankMs = ({ hidden, labels }: Omit<FitSizes, "texts">): number => RANK_MS * hidden * labels;

/** Returns the estimated milliseconds in which a head change is fitted to texts, and packed. */
export const estimateFitMs = (sizes: FitSizes): number =>
  FIT_MS * sizes.texts +
  FIT_PAIR_MS * sizes.texts * sizes.texts +
  estimateSearchMs(sizes) +
  MAX_HEAD_CHANGE_RANK * estimateRankMs(sizes);

/** A pass back through a block takes about twice as long as the pass forward. */
const BACK_AND_FORTH = 3;

/**
 * Returns the estimated milliseconds of a text in a pass of training.
 *
 * @param layers of the encoder
 * @param firstLayer the first layer of the learning graph, which begins near the end of this layer's block
 */
export function estimateTrainingMs(tokens: number, layers: number, firstLayer: number): number {
  const blocks = layers - firstLayer - 1;
  return TRAINING_MS + (BACK_AND_FORTH * blocks * estimateReadMs(tokens)) / layers;
}

/** Tracks the work of a learning, reports its progress, and lets other requests run. */
export interface WorkTracker {
  /** Must be awaited after each text. @throws XpeftError `learning_too_long`; or the signal's reason */
  afterText(ms: number): Promise<void>;
  /**
   * Must be awaited after each part of work that is counted only when the whole of it is done. It lets other requests
   * run, reports and throws as {@link afterText} does.
   */
  afterPart(ms: number): Promise<void>;
  /** Sets what the next reports say. */
  report(state: Partial<Pick<LearnProgress, "phase" | "pass" | "passes" | "loss" | "leftOutAccuracy">>): void;
}

/**
 * How many times the budget the estimate may be: the estimate is for a slow machine, and the clock decides in the end.
 */
const ESTIMATE_MARGIN = 2;

/**
 * Starts to track a learning's work.
 *
 * @param totalMs estimated milliseconds of the whole work
 * @throws XpeftError `learning_too_long` if the estimate far exceeds the budget
 */
export function trackWork(totalMs: number, { onProgress, signal, budgetSeconds }: LearnHooks): WorkTracker {
  if (totalMs / 1000 > ESTIMATE_MARGIN * budgetSeconds) throw tooLongError(budgetSeconds);
  let state: Omit<LearnProgress, "done" | "secondsLeft"> = {
    phase: "start",
    pass: 0,
    passes: 0,
    loss: null,
    leftOutAccuracy: null,
  };
  let [doneMs, unyieldedMs] = [0, 0];
  const start = Date.now();
  let reportedAt = Number.NEGATIVE_INFINITY;
  const afterPart = async (ms: number) => {
    unyieldedMs += ms;
    if (unyieldedMs >= YIELD_MS) {
      unyieldedMs = 0;
      // ONNX Runtime and fits never yield: without a pause no other request would be read, and no clock would advance.
      for (let turn = 0; turn < TURNS; turn++) await pause(0);
    }
    signal.throwIfAborted();
    const now = Date.now();
    if ((now - start) / 1000 > budgetSeconds) throw tooLongError(budgetSeconds);
    if (now - reportedAt < REPORT_MS) return;
    reportedAt = now;
    const done = Math.min(1, doneMs / totalMs);
    const perMs = now > start && doneMs > 0 ? (now - start) / doneMs : 1;
    const secondsLeft = Math.ceil((Math.max(0, totalMs - doneMs) * perMs) / 1000);
    await onProgress({ ...state, done, secondsLeft });
  };
  return {
    afterPart,
    async afterText(ms) {
      doneMs += ms;
      await afterPart(ms);
    },
    report(next) {
      // Each phase is reported, however fast the machine is.
      if (next.phase !== undefined && next.phase !== state.phase) reportedAt = Number.NEGATIVE_INFINITY;
      state = { ...state, ...next };
    },
  };
}

function tooLongError(budgetSeconds: number): XpeftError {
  return new XpeftError("learning_too_long", `Learning takes longer than its budget of ${budgetSeconds} seconds.`);
}
