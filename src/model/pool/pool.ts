/** A pool's sizes, with the letters of docs/formats.md. */
export interface PoolShape {
  /** L */
  readonly layers: number;
  /** d */
  readonly hidden: number;
  /** b */
  readonly bottleneck: number;
  readonly pool: {
    /** N */
    readonly size: number;
    /** k */
    readonly chosen: number;
  };
}

/** The adapters that masks choose from. */
export interface AdapterPool extends PoolShape {
  /** Bytes of its WASM memory. */
  readonly bytes: number;
  /**
   * Writes the mean of the chosen matrices to `target`.
   *
   * @param row `2 · layer`, and one more for up projections
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
