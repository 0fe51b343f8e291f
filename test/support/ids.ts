import { shardOf } from "../../src/sharding/shards.ts";

/** The first ids of the form `demo-000` that belong in a database of two. */
export function idsIn(number: number, count: number, task = "demo"): string[] {
  const ids = Array.from({ length: 20 * count }, (_, index) => `demo-${String(index).padStart(3, "0")}`);
  return ids.filter((id) => shardOf({ task, id }, 2) === number).slice(0, count);
}
