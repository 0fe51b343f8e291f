import type { Bench } from "../bench.ts";
import { activeProfiles } from "./active-profiles.ts";
import { adapters } from "./adapters.ts";
import { browser } from "./browser.ts";
import { cold } from "./cold.ts";
import { concurrency } from "./concurrency.ts";
import { engines } from "./engines.ts";
import { fanout } from "./fanout.ts";
import { kernels } from "./kernels.ts";
import { learning } from "./learning.ts";
import { length } from "./length.ts";
import { memory } from "./memory.ts";
import { merge } from "./merge.ts";
import { operators } from "./operators.ts";
import { overhead } from "./overhead.ts";
import { pages } from "./pages.ts";
import { peers } from "./peers.ts";
import { runtimes } from "./runtimes.ts";
import { scale } from "./scale.ts";
import { soak } from "./soak.ts";
import { trunk } from "./trunk.ts";
import { variants } from "./variants.ts";

/** All benches, in the order in which they run. */
export const benches: readonly Bench[] = [
  overhead,
  adapters,
  merge,
  trunk,
  fanout,
  activeProfiles,
  engines,
  kernels,
  runtimes,
  browser,
  pages,
  operators,
  cold,
  peers,
  memory,
  learning,
  length,
  concurrency,
  soak,
  variants,
  scale,
];
