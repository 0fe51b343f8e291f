import type { Manifest } from "../bundle/manifest.ts";
import { createPlaces } from "./kernel-memory.ts";

/** Sizes of a packed encoder. */
export type PackedSizes = Pick<Manifest, "layers" | "hidden" | "bottleneck"> & NonNullable<Manifest["packed"]>;

/** Where the packed weights of a product are. */
export interface Product {
  readonly weights: number;
  /** What a step of each output's weights is worth. */
  readonly factors: number;
  readonly biases: number;
  /** What each input is multiplied by before it is quantized. */
  readonly inverses: number;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Lays out the packed encoder of docs/formats.md, "Packed encoder": the file is an image of the memory's start.
 *
 * @returns addresses, and `places`, which goes on behind them
 */
export function layOutWeights({ layers, hidden, intermediate, words, types, positions }: PackedSizes) {
  const places = createPlaces();
  const { numbers } = places;
  const product = (inputs: number, outputs: number): Product => ({
    weights: places.take(inputs * outputs),
    factors: numbers(outputs),
    biases: numbers(outputs),
    inverses: numbers(inputs),
    inputs,
    outputs,
  });
  const norm = () => numbers(2 * hidden);
  return {
    words: places.take(words * hidden),
    wordScales: numbers(words),
    types: numbers(types * hidden),
    positions: numbers(positions * hidden),
    norm: norm(),
    blocks: Array.from({ length: layers }, () => ({
      qkv: product(hidden, 3 * hidden),
      attention: product(hidden, hidden),
      attentionNorm: norm(),
      up: product(hidden, intermediate),
      down: product(intermediate, hidden),
      norm: norm(),
    })),
    places,
  };
}
