import { type MaskShape, unpackMasks } from "../../src/profiles/masks.ts";
import { readLabelBias } from "../../src/profiles/profile-head.ts";
import type { Profile, Task } from "../api/answers.ts";
import { bytesOf } from "../parts/bytes.ts";

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

/** Returns a profile's label bias, a number for each label; zeros without one. */
export function biasVector({ labelBias }: Profile, { labels }: Task): Float32Array {
  const blob = labelBias === null ? null : bytesOf(labelBias);
  if (blob === null || blob.length < labels.length) return new Float32Array(labels.length);
  return Float32Array.from(readLabelBias(blob, labels.length));
}
