import { allocateAdapters, type MergedAdapters } from "../../src/model/merge.ts";

/** Of all layers, in both inputs: `0.02 · sin i`, as large as a merged pool's. */
export function someAdapters(sizes: { layers: number; hidden: number; bottleneck: number }): MergedAdapters {
  const adapters = allocateAdapters(sizes);
  for (const part of [adapters.down, adapters.up]) for (const i of part.keys()) part[i] = 0.02 * Math.sin(i);
  return adapters;
}
