import type { MaskShape } from "../../src/profiles/masks.ts";
import type { Profile } from "../api/answers.ts";
import { maskVector } from "./vectors.ts";

/** A profile, and how many chosen adapters it shares with another one. */
export interface Neighbour {
  readonly profile: string;
  readonly shared: number;
}

/** Counts the adapters that two sets of masks both choose. */
function sharedAdapters(first: Uint8Array, second: Uint8Array): number {
  let shared = 0;
  for (let i = 0; i < first.length; i++) shared += (first[i] ?? 0) & (second[i] ?? 0);
  return shared;
}

/** Returns how many adapters two profiles share by chance: k of N in each mask, drawn anew. */
export const sharedByChance = ({ layers, chosen, size }: MaskShape): number => (2 * layers * chosen * chosen) / size;

/** Returns the profiles that share most adapters with one, the closest first. */
export function neighboursOf(row: Profile, rows: readonly Profile[], shape: MaskShape, most: number): Neighbour[] {
  const own = maskVector(row, shape);
  if (!own) return [];
  return rows
    .flatMap((other) => {
      const vector = other.profile === row.profile ? null : maskVector(other, shape);
      return vector ? [{ profile: other.profile, shared: sharedAdapters(own, vector) }] : [];
    })
    .sort((a, b) => b.shared - a.shared)
    .slice(0, most);
}

/** Returns for each adapter of each mask the share of profiles that choose it, 0 to 1. */
export function popularityOf(rows: readonly Profile[], shape: MaskShape): Float64Array {
  const counts = new Float64Array(2 * shape.layers * shape.size);
  let masked = 0;
  for (const row of rows) {
    const vector = maskVector(row, shape);
    if (!vector) continue;
    masked++;
    for (let i = 0; i < vector.length; i++) counts[i] = (counts[i] ?? 0) + (vector[i] ?? 0);
  }
  return counts.map((count) => count / Math.max(1, masked));
}
