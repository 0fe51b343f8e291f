/** Sizes of an encoder and its pool, with the letters of docs/formats.md. */
export interface PoolShape {
  /** L, all layers of the encoder. */
  readonly layers: number;
  /** d */
  readonly hidden: number;
  /** b */
  readonly bottleneck: number;
  readonly pool: {
    /** F: the pool has adapters for the layers from F to L - 1. */
    readonly firstLayer: number;
    /** N */
    readonly size: number;
    /** k */
    readonly chosen: number;
  };
}

/** Returns the number of a pool's matrices: `2 · (L - F) · N`. */
export function countMatrices({ layers, pool: { firstLayer, size } }: PoolShape): number {
  return 2 * (layers - firstLayer) * size;
}

/** The adapters that masks choose from. */
export interface AdapterPool extends PoolShape {
  /** Bytes of its WASM memory. */
  readonly bytes: number;
  /**
   * Writes the mean of the chosen matrices to `target`.
   *
   * @param row `2 · (layer - F)`, and one more for up projections
   * @param adapters k numbers below N
   * @param target `[d·b]`
   */
  mergeMatrix(row: number, adapters: Uint16Array, target: Float32Array): void;

  /**
   * Writes the gradient of each adapter's weight to `target`: the product of its matrix with the merged matrix's
   * gradient.
   *
   * @param row as for {@link mergeMatrix}
   * @param gradient `[d·b]`
   * @param target `[N]`
   */
  projectMatrix(row: number, gradient: Float32Array, target: Float64Array): void;
}
