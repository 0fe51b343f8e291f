import { batch, type Signal, signal } from "@preact/signals";
import type { Profile, Task } from "../api/answers.ts";
import { profilePath, requestJson } from "../api/request.ts";
import { profilePages } from "../api/rows.ts";

/** The state of the view for one task. It outlives the view, so that the user finds it again. */
export interface ProfilesState {
  readonly rows: Signal<readonly Profile[]>;
  readonly isComplete: Signal<boolean>;
  readonly problem: Signal<unknown>;
  readonly chosen: Signal<string | null>;
  readonly search: Signal<string>;
  readonly order: Signal<Order>;
}

/** Orders of the list. */
export const ORDERS = {
  id: { name: "id", compare: (a: Profile, b: Profile) => (a.profile < b.profile ? -1 : 1) },
  newest: {
    name: "last write",
    compare: (a: Profile, b: Profile) => (b.updatedAt < a.updatedAt ? -1 : Number(b.updatedAt > a.updatedAt)),
  },
  bytes: { name: "most bytes", compare: (a: Profile, b: Profile) => bytesOfRow(b) - bytesOfRow(a) },
  generation: { name: "most generations", compare: (a: Profile, b: Profile) => b.generation - a.generation },
} as const;

/** An order of the list. */
export type Order = keyof typeof ORDERS;

/** Returns the bytes that the service stores of a profile. */
export const bytesOfRow = ({ maskBytes, labelBiasBytes }: Profile): number => maskBytes + labelBiasBytes;

const states = new Map<string, ProfilesState>();

/** Returns the state of the view for a task. */
export function profilesState(task: string): ProfilesState {
  const known = states.get(task);
  if (known) return known;
  const state: ProfilesState = {
    rows: signal([]),
    isComplete: signal(false),
    problem: signal(null),
    chosen: signal(null),
    search: signal(""),
    order: signal("id"),
  };
  states.set(task, state);
  return state;
}

/** Reads all rows of the task, page by page. */
export async function readRows({ task }: Task, state: ProfilesState, signal: AbortSignal): Promise<void> {
  state.isComplete.value = false;
  const rows: Profile[] = [];
  const isFirst = state.rows.peek().length === 0;
  try {
    for await (const page of profilePages(task, signal)) {
      rows.push(...page);
      // A second reading is shown when it is complete: a list that shrinks loses its place.
      if (isFirst) state.rows.value = [...rows];
      batch(() => {
        state.problem.value = null;
        state.chosen.value ??= rows[0]?.profile ?? null;
      });
    }
    batch(() => {
      state.rows.value = rows;
      state.isComplete.value = true;
    });
  } catch (error) {
    if (!signal.aborted) state.problem.value = error;
  }
}

/** Reads one row anew. */
export async function readRowAgain({ task }: Task, state: ProfilesState, profile: string): Promise<void> {
  try {
    const row = await requestJson<Profile>(profilePath(task, profile));
    state.rows.value = state.rows.value.map((one) => (one.profile === profile ? row : one));
  } catch (error) {
    state.problem.value = error;
  }
}

/** Returns the rows that a search finds, in the chosen order. */
export function findRows(rows: readonly Profile[], search: string, order: Order): readonly Profile[] {
  const wanted = search.trim().toLowerCase();
  return rows
    .filter(({ profile }) => wanted === "" || profile.toLowerCase().includes(wanted))
    .toSorted(ORDERS[order].compare);
}
