import { type MaskShape, unpackMasks } from "../../src/profiles/masks.ts";
import { readLabelBias } from "../../src/profiles/profile-head.ts";
import type { Profile, Task } from "../api/answers.ts";
import { bytesOf } from "../parts/bytes.ts";
import { visitRows } from "./turns.ts";

/** What all profiles of a task choose. */
export interface Vectors {
  /** The adapters that each profile chooses, a 1 each, of all its masks; null without masks. */
  readonly masks: ReadonlyMap<string, Uint8Array | null>;
  /** For each adapter of each mask, the share of the profiles with masks that choose it, 0 to 1. */
  readonly popularity: Float64Array;
  /** A vector for each row: its masks or, where no profile has masks, its label biases. */
  readonly rows: readonly ArrayLike<number>[];
  readonly byMasks: boolean;
}

/** Returns the adapters that a profile chooses, a 1 each, of all its masks; null without masks. */
export function maskVector({ masks }: Profile, shape: MaskShape): Uint8Array | null {
  if (masks === "") return null;
  const { layers, size, chosen } = shape;
  const vector = new Uint8Array(2 * layers * size);
  for (const [place, adapter] of unpackMasks(bytesOf(masks), shape).entries()) {
    vector[Math.floor(place / chosen) * size + adapter] = 1;
  }
  return vector;
}

/** A damaged row has no masks here. Its details say what is wrong with it. */
function readableMasks(row: Profile, shape: MaskShape): Uint8Array | null {
  try {
    return maskVector(row, shape);
  } catch {
    return null;
  }
}

function biasVector({ labelBias }: Profile, { labels }: Task): Float32Array {
  const blob = labelBias === null ? null : bytesOf(labelBias);
  if (blob === null || blob.length < labels.length) return new Float32Array(labels.length);
  return Float32Array.from(readLabelBias(blob, labels.length));
}

/** Unpacks the rows, and lets the browser work in between. @throws if the signal is aborted */
export async function readVectors(
  rows: readonly Profile[],
  task: Task,
  shape: MaskShape,
  signal: AbortSignal,
): Promise<Vectors> {
  const width = 2 * shape.layers * shape.size;
  const masks = new Map<string, Uint8Array | null>();
  const popularity = new Float64Array(width);
  let masked = 0;
  await visitRows(rows, signal, (row) => {
    const vector = readableMasks(row, shape);
    masks.set(row.profile, vector);
    if (!vector) return;
    masked++;
    for (let i = 0; i < width; i++) popularity[i] = (popularity[i] ?? 0) + (vector[i] ?? 0);
  });
  const byMasks = masked > 0;
  const all: ArrayLike<number>[] = [];
  await visitRows(rows, signal, (row) => {
    all.push(byMasks ? (masks.get(row.profile) ?? new Uint8Array(width)) : biasVector(row, task));
  });
  return { masks, popularity: popularity.map((count) => count / Math.max(1, masked)), rows: all, byMasks };
}
