import { type MaskShape, packMasks } from "../profiles/masks.ts";
import type { Random } from "./random.ts";
import type { Start, TrainingStart } from "./reader.ts";
import { topAdapters } from "./straight-through.ts";

/** Adds the masks that training begins with: the start's or, if it has none, random ones. */
export function withInitialMasks(start: Start, shape: MaskShape, random: Random): TrainingStart {
  const { masks } = start.parts;
  if (masks.length > 0) return { ...start, initialMasks: masks };
  const logits = Float64Array.from({ length: 2 * shape.layers * shape.size }, random.normal);
  return { ...start, initialMasks: packMasks(topAdapters(logits, shape), shape) };
}
