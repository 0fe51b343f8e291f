import type { Bench } from "../bench.ts";
import { merge } from "./merge.ts";
import { overhead } from "./overhead.ts";

/** In the order that they run in. */
export const benches: readonly Bench[] = [overhead, merge];
