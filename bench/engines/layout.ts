/** Sizes of a packed encoder. */
export interface EncoderSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  /** Width of the feed-forward part. */
  readonly intermediate: number;
  /** Of the adapters. */
  readonly bottleneck: number;
  readonly words: number;
  readonly types: number;
  /** The longest text in tokens. */
  readonly positions: number;
  /** Of the PLM's LayerNorms. */
  readonly epsilon: number;
}

/** Where the packed weights of a product are. */
export interface Product {
  readonly weights: number;
  /** What a step of each output's weights is worth. */
  readonly factors: number;
  readonly biases: number;
  readonly inputs: number;
  readonly outputs: number;
}

const ALIGNED = 16;

/** Hands out addresses of a memory, one after the other. */
function createPlaces() {
  let end = 0;
  return {
    /** Returns the address of so many bytes. */
    take(bytes: number): number {
      const start = end;
      end += Math.ceil(bytes / ALIGNED) * ALIGNED;
      return start;
    },
    /** Returns how many bytes were handed out. */
    end: () => end,
  };
}

/** Lays out the packed encoder, which `training/bench/packed.py` writes: the file is an image of the memory's start. */
export function layOutWeights({ layers, hidden, intermediate, words, types, positions }: EncoderSizes) {
  const places = createPlaces();
  const numbers = (count: number) => places.take(4 * count);
  const product = (inputs: number, outputs: number): Product => ({
    weights: places.take(inputs * outputs),
    factors: numbers(outputs),
    biases: numbers(outputs),
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
