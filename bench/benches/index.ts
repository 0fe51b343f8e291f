import type { Bench } from "../bench.ts";
import { adapters } from "./adapters.ts";
import { cliff } from "./cliff.ts";
import { cold } from "./cold.ts";
import { floor } from "./floor.ts";
import { learning } from "./learning.ts";
import { length } from "./length.ts";
import { many } from "./many.ts";
import { memory } from "./memory.ts";
import { merge } from "./merge.ts";
import { operators } from "./operators.ts";
import { overhead } from "./overhead.ts";
import { peers } from "./peers.ts";
import { scale } from "./scale.ts";
import { shapes } from "./shapes.ts";
import { soak } from "./soak.ts";

/** In the order that they run in. */
export const benches: readonly Bench[] = [
  overhead,
  adapters,
  merge,
  cliff,
  floor,
  operators,
  cold,
  peers,
  memory,
  learning,
  length,
  many,
  soak,
  shapes,
  scale,
];
