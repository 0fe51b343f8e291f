import gemm from "../floor/gemm.wasm";

/** Parameters of {@link createProducts}. */
export interface FloorParams {
  readonly tokens: number;
  readonly layers: number;
  /** Rows and columns of each int8 weight of a layer. */
  readonly products: readonly (readonly [number, number])[];
}

type Gemm = (a: number, b: number, c: number, m: number, n: number, k: number) => void;

const PAGE = 0x1_0000;
const ACTIVATIONS = PAGE;
const WEIGHTS = 0x40_0000;

/** Returns a function that computes only an encoder run's int8 products, with relaxed SIMD. Each weight has its own memory, as in the encoder. */
export function createProducts({ tokens, layers, products }: FloorParams): () => void {
  const weightBytes = layers * products.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
  const results = WEIGHTS + weightBytes;
  const bytes = results + 4 * tokens * Math.max(...products.map(([, columns]) => columns));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE) });
  const multiply = new WebAssembly.Instance(gemm, { env: { memory } }).exports.gemm as Gemm;
  // Seven bits: relaxed products of larger numbers differ between machines.
  new Uint8Array(memory.buffer).forEach((_, index, all) => {
    all[index] = (index * 31) & 0x7f;
  });
  return () => {
    let weights = WEIGHTS;
    for (let layer = 0; layer < layers; layer++) {
      for (const [rows, columns] of products) {
        multiply(ACTIVATIONS, weights, results, tokens, columns, rows);
        weights += rows * columns;
      }
    }
  };
}
