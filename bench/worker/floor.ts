import gemm from "../floor/gemm.wasm";
import { feedsOf } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { type Graph, openGraph } from "./sessions.ts";
import { inTurns, type Patience } from "./turns.ts";

/** What the floor is measured with. */
export interface FloorParams extends Patience {
  readonly graph: Graph;
  readonly tokens: number;
  readonly layers: number;
  /** Rows and columns of each int8 weight of a layer. */
  readonly products: readonly (readonly [number, number])[];
}

type Gemm = (a: number, b: number, c: number, m: number, n: number, k: number) => void;

const ACTIVATIONS = 0x1_0000;
const WEIGHTS = 0x40_0000;

/** The int8 products of one encoder run, and nothing else: every weight is read from a place of its own, as in the encoder. */
function createProducts({ tokens, layers, products }: FloorParams): () => Promise<void> {
  const { exports } = new WebAssembly.Instance(gemm);
  const multiply = exports.gemm as Gemm;
  const memory = exports.memory as WebAssembly.Memory;
  const weightBytes = layers * products.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
  const results = WEIGHTS + weightBytes;
  const needed = results + 4 * tokens * Math.max(...products.map(([, columns]) => columns));
  const missing = needed - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 0x1_0000));
  // Seven bits, which relaxed products of all machines agree on.
  new Uint8Array(memory.buffer).forEach((_, place, bytes) => {
    bytes[place] = (place * 31) & 0x7f;
  });
  return async () => {
    let weights = WEIGHTS;
    for (let layer = 0; layer < layers; layer++) {
      for (const [rows, columns] of products) {
        multiply(ACTIVATIONS, weights, results, tokens, columns, rows);
        weights += rows * columns;
      }
    }
  };
}

/** Milliseconds of an encoder run, and of the products that it cannot do without. */
export async function floor(params: FloorParams, { env }: Isolate) {
  const session = await openGraph(env, params.graph);
  const feeds = feedsOf(session, params.tokens);
  try {
    return await inTurns({ encoder: () => session.run(feeds), floor: createProducts(params) }, params);
  } finally {
    await session.release();
  }
}
