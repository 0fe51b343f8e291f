import type { MaskShape } from "../../src/profiles/masks.ts";
import { visitRows } from "./turns.ts";
import type { Vectors } from "./vectors.ts";

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

/**
 * Returns the profiles that share most adapters with one, the closest first; none for a profile without masks.
 *
 * @throws DOMException `AbortError` if the signal is aborted
 */
export async function neighboursOf(
  profile: string,
  { masks }: Vectors,
  most: number,
  signal: AbortSignal,
): Promise<Neighbour[]> {
  const own = masks.get(profile);
  if (!own) return [];
  const all: Neighbour[] = [];
  await visitRows([...masks], signal, ([other, vector]) => {
    if (vector && other !== profile) all.push({ profile: other, shared: sharedAdapters(own, vector) });
  });
  return all.sort((a, b) => b.shared - a.shared).slice(0, most);
}
