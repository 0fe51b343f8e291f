/** How often a cache was asked since it was created. */
export interface Lookups {
  /** Found in the cache. */
  readonly hits: number;
  /** Not in the cache. */
  readonly misses: number;
}
