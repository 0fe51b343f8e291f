/** The sizes of an encoder and its adapters, with the letters of docs/formats.md. */
export interface AdapterSizes {
  /** L, all layers of the encoder. */
  readonly layers: number;
  /** d */
  readonly hidden: number;
  /** b */
  readonly bottleneck: number;
}

/** The sizes that a task's pool depends on. */
export interface PooledSizes extends AdapterSizes {
  readonly pool: {
    /** F, the first layer that has masks. */
    readonly firstLayer: number;
  };
}
