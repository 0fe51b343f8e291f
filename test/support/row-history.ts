import type { StoredProfile } from "../../src/profiles/profile.ts";
import type { ProfileStore, TaskAndProfiles } from "../../src/profiles/profile-store.ts";
import { masksOf, taskOf } from "./rows.ts";

// Local D1 has no replicas, so here a database is the list of its past states: the primary store reads the last one,
// the nearest store any.

/** Ids of the task's profiles. */
export const IDS = ["a", "b", "c"];
const TASK = taskOf();
const MASKS = masksOf(1);

/** Generations at one moment; null or absent if there is no row. */
export interface State {
  readonly task: number | null;
  readonly profiles: ReadonlyMap<string, number>;
}

/** A write of the task or of a profile, or a deletion. */
export type Change =
  | { readonly change: "task" }
  | { readonly change: "noTask" }
  | { readonly change: "profile"; readonly id: string }
  | { readonly change: "noProfile"; readonly id: string };

/** A database's states, and stores that read them. No generation is used twice. */
export class RowHistory {
  readonly states: State[] = [{ task: null, profiles: new Map() }];
  #newest = 0;

  /** Starts without rows, then makes these changes. */
  constructor(changes: readonly Change[] = []) {
    for (const change of changes) this.apply(change);
  }

  get last(): State {
    return this.states.at(-1) as State;
  }

  apply(what: Change): void {
    const { task, profiles } = this.last;
    const generation = ++this.#newest;
    const next = new Map(profiles);
    if (what.change === "noTask") {
      this.states.push({ task: null, profiles: new Map() });
    } else if (what.change === "task") {
      this.states.push({ task: generation, profiles: new Map([...profiles].map(([id]) => [id, generation])) });
    } else if (task !== null) {
      if (what.change === "profile") next.set(what.id, generation);
      else next.delete(what.id);
      this.states.push({ task, profiles: next });
    }
  }

  /** Returns a store that lags: each read sees the state of `lag` changes ago. */
  store(lag: number, deliver: <T>(answer: T) => Promise<T>): ProfileStore {
    return {
      read: (name, ids, known) => {
        const { task, profiles } = this.states[Math.max(0, this.states.length - 1 - lag)] as State;
        const answer: TaskAndProfiles = {
          generation: task,
          task: task === null || task === known ? null : { ...TASK, generation: task },
          profiles: new Map(
            ids.flatMap((id): [string, StoredProfile][] => {
              const generation = profiles.get(id);
              const row = { task: name, id, masks: MASKS, labelBias: null, updatedAt: new Date(0) };
              return generation === undefined ? [] : [[id, { ...row, generation }]];
            }),
          ),
        };
        return deliver(answer);
      },
    };
  }
}

/** The changes that write the task and all its profiles. */
export const WRITE_ALL: readonly Change[] = [
  { change: "task" },
  ...IDS.map((id): Change => ({ change: "profile", id })),
];
