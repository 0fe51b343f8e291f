/** What wrangler.toml binds. */
export interface Bindings {
  /** Absent in a deploy that serves profile tokens alone. */
  readonly DB?: D1Database;
  /** More databases if profiles are sharded: DB_1, DB_2 and so on, without a gap. */
  readonly [name: `DB_${number}`]: D1Database | undefined;
  /** The bundle's files, and the documentation. */
  readonly ASSETS: Fetcher;
  /** Limits requests; without it there is no limit. */
  readonly RATE_LIMITER?: RateLimit;
  /** Limits learning requests; without it they count as any request. */
  readonly LEARN_LIMITER?: RateLimit;
  /** Receives a data point for each request; optional. */
  readonly ANALYTICS?: AnalyticsEngineDataset;
  /** TTL of cached rows and keys in seconds, as decimal digits; 0 turns caching off. */
  readonly CACHE_TTL_SECONDS: string;
  /** "true" if predictions need no key. */
  readonly PUBLIC_PREDICT: string;
  /** Origins whose pages may call the API, separated by commas; "*" for all, empty for none. */
  readonly CORS_ORIGINS: string;
  /** "onnxruntime" turns the kernels off; "auto" or absent: they are used where the bundle allows it. */
  readonly ENGINE?: string;
  /** The secret that signs profile tokens; without it tokens are off. */
  readonly TOKEN_KEYS?: string;
  /** The API key of the playground on this machine, which `npm start` sets. Never set it in a deploy. */
  readonly LOCAL_PAGE_KEY?: string;
}
