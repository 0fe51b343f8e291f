/** A pool's numbers; the letters of docs/formats.md stand beside them. */
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

/** All adapters that masks choose from. */
export interface AdapterPool extends PoolShape {
  /** Bytes of WASM linear memory that it takes. */
  readonly bytes: number;
  /**
   * Writes the mean of chosen matrices.
   *
   * @param row `2 · layer`, and one more for up projections
   * @param adapters k numbers below N
   * @param target `[d·b]`
   */
  mergeMatrix(row: number, adapters: Uint16Array, target: Float32Array): void;

  /**
   * Writes the product of each adapter's matrix with a merged matrix's gradient: the gradient of the adapter's weight.
   *
   * @param row as for {@link mergeMatrix}
   * @param gradient `[d·b]`
   * @param target `[N]`
   */
  projectMatrix(row: number, gradient: Float32Array, target: Float64Array): void;
}
