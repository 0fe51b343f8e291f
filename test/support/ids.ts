import { shardOf } from "../../src/sharding/shards.ts";

/** Returns the first ids of the form `demo-000` that belong to one of two databases. */
export function idsIn(number: number, count: number, task = "demo"): string[] {
  const ids = Array.from({ length: 20 * count }, (_, index) => `demo-${String(index).padStart(3, "0")}`);
  return ids.filter((id) => shardOf({ task, id }, 2) === number).slice(0, count);
}
