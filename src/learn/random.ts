import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Draws that depend on a seed and nothing else. */
export interface Random {
  /** Normal, mean 0 and standard deviation 1. */
  normal(): number;
  /** Standard Gumbel. */
  gumbel(): number;
  /** The same items in another order. */
  shuffled<Item>(items: readonly Item[]): Item[];
}

/** @param seed a whole number of 32 bits */
export function createRandom(seed: number): Random {
  const source = xoroshiro128plus(seed);
  /** Above 0, so that its logarithm is finite. */
  const uniform = () => 1 - uniformFloat64(source);
  return {
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    // Below 1 but for once in 2^53, which a log of 0 would turn into an infinity.
    gumbel: () => -Math.log(-Math.log(Math.min(uniform(), 1 - Number.EPSILON))),
    shuffled(items) {
      const order = items.map((item) => ({ item, place: uniform() }));
      return order.sort((a, b) => a.place - b.place).map(({ item }) => item);
    },
  };
}
