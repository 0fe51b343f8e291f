import type { Learnt } from "../shared/answers.ts";
import type { Before } from "./before.ts";
import type { ProfileName } from "./predict.ts";

/** A finished learning, with what is still known of its profile before. */
export interface Learning {
  readonly name: ProfileName;
  readonly before: Before;
  readonly learnt: Learnt;
}

let last: Learning | null = null;

/** Returns the last learning of this page; null if there is none yet. */
export const lastLearning = (): Learning | null => last;

/** Remembers a learning as the last one. */
export function setLastLearning(learning: Learning): void {
  last = learning;
}
