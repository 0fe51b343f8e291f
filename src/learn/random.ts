import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Random numbers that depend on a seed only. */
export interface Random {
  /** Returns a normal number, mean 0 and standard deviation 1. */
  normal(): number;
  /** Returns a standard Gumbel number. */
  gumbel(): number;
  /** Returns the items in random order. */
  shuffled<Item>(items: readonly Item[]): Item[];
}

/** Creates random numbers. @param seed a whole number of 32 bits */
export function createRandom(seed: number): Random {
  const source = xoroshiro128plus(seed);
  /** Above 0, so that its logarithm is finite. */
  const uniform = () => 1 - uniformFloat64(source);
  return {
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    // The uniform number is 1 once in 2^53 draws, and a log of 0 would be infinite.
    gumbel: () => -Math.log(-Math.log(Math.min(uniform(), 1 - Number.EPSILON))),
    shuffled(items) {
      const order = items.map((item) => ({ item, key: uniform() }));
      return order.sort((a, b) => a.key - b.key).map(({ item }) => item);
    },
  };
}
