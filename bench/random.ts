import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Returns a function that draws whole numbers from 0 to `below - 1`, the same sequence for the same seed. */
export function createDraw(seed: number, below: number): () => number {
  const generator = xoroshiro128plus(seed);
  return () => uniformInt(generator, 0, below - 1);
}
