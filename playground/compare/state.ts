import { batch, type Signal, signal } from "@preact/signals";
import type { FanOutFailure, FanOutMember, Outcome, Profile, Timings } from "../api/answers.ts";
import { sentencesOf } from "../state/examples.ts";

/** How many profiles the view shows before the user chooses others. */
export const FIRST_PROFILES = 12;

/** What all profiles of a task say of a sentence. */
export interface Agreement {
  readonly text: string;
  /** Members by their label, in the order of the task's labels; labels that nobody gives are missing. */
  readonly byLabel: ReadonlyMap<string, readonly FanOutMember[]>;
  readonly failures: readonly FanOutFailure[];
  readonly profiles: number;
  /** Whether more profiles may follow. */
  readonly isPartial: boolean;
}

/** The state of the view for one task. It outlives the view, so that the user finds it again. */
export interface CompareState {
  readonly text: Signal<string>;
  /** Ids of the profiles to compare; null until they are known. */
  readonly ids: Signal<readonly string[] | null>;
  /** Whether the key may not list profiles. */
  readonly cannotList: Signal<boolean>;
  readonly rows: Signal<ReadonlyMap<string, Profile>>;
  readonly outcomes: Signal<readonly Outcome[]>;
  readonly timings: Signal<Timings | null>;
  readonly problem: Signal<unknown>;
  readonly isPending: Signal<boolean>;
  readonly agreement: Signal<Agreement | null>;
  readonly agreementProblem: Signal<unknown>;
}

const states = new Map<string, CompareState>();

/** Returns the state of the view for a task. */
export function compareState(task: string): CompareState {
  const known = states.get(task);
  if (known) return known;
  const state: CompareState = {
    text: signal(sentencesOf(task)[0] ?? ""),
    ids: signal(null),
    cannotList: signal(false),
    rows: signal(new Map()),
    outcomes: signal([]),
    timings: signal(null),
    problem: signal(null),
    isPending: signal(false),
    agreement: signal(null),
    agreementProblem: signal(null),
  };
  states.set(task, state);
  return state;
}

/** Removes the cards' answers: there is no text or no profile. */
export function clearAnswers(state: CompareState): void {
  batch(() => {
    state.outcomes.value = [];
    state.timings.value = null;
    state.problem.value = null;
    state.isPending.value = false;
  });
}
