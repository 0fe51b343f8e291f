import fc from "fast-check";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { isLongForm } from "../long-form.ts";

/** The cases of each property. */
export const RUNS = { numRuns: isLongForm ? 100_000 : 200 };

/** Counts of tokens. Most texts are short, because references are slow. */
export const tokenCounts = fc.oneof(
  { weight: 360, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 39, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 512 }) },
);

/** Returns multiples of a number, up to so many times it. */
export const multiples = (of: number, most: number): fc.Arbitrary<number> =>
  fc.integer({ min: 1, max: most }).map((times) => of * times);

/** How numbers are drawn: up to a magnitude, and some of them from a list of special ones. */
export interface Draw {
  readonly seed: number;
  readonly magnitude: number;
  readonly special: readonly number[];
  /** One number in so many is special. */
  readonly rarity: number;
}

const SPECIAL = [0, -0, Infinity, -Infinity, Number.NaN, 2 ** -149, -(2 ** -127), Math.fround(3.4e38)];

/** Draws of which half have no special number, and most an ordinary magnitude. */
export const draws: fc.Arbitrary<Draw> = fc.record({
  seed: fc.integer(),
  magnitude: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(1, 0.05, 8) },
    { weight: 1, arbitrary: fc.constantFrom(1e-44, 1e-40, 1e-37, 1e-19, 1e4, 1e19, 3e38) },
  ),
  special: fc.array(fc.oneof(fc.constantFrom(...SPECIAL), fc.float()), { minLength: 1, maxLength: 4 }),
  rarity: fc.constantFrom(Infinity, Infinity, Infinity, Infinity, 1000, 50, 4, 1),
});

/** Numbers that depend on a draw only. */
export interface Drawn {
  floats(count: number): Float32Array;
  /** Returns whole numbers from `least` to `most`. */
  integers(count: number, least: number, most: number): Int32Array;
}

/** Creates the numbers of a draw. */
export function createDrawn({ seed, magnitude, special, rarity }: Draw): Drawn {
  const source = xoroshiro128plus(seed);
  /** Returns a number from 0 up to `end`, without it. */
  const below = (end: number) => Math.floor(((source.next() >>> 0) / 2 ** 32) * end);
  const float = () => {
    if (rarity < Infinity && below(rarity) === 0) return special[below(special.length)] ?? Number.NaN;
    return (source.next() / 2 ** 31) * magnitude;
  };
  return {
    floats: (count) => new Float32Array(count).map(float),
    integers: (count, least, most) => new Int32Array(count).map(() => least + below(most - least + 1)),
  };
}
