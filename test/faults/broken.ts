/** Broken dependencies of the Worker. An omitted one works. */
export interface Broken {
  readonly database?: {
    /** The message of D1's error. */
    readonly error?: string;
    /** Whether only writes fail. */
    readonly writesOnly?: boolean;
    /** Whether the query runs although it reports the error. */
    readonly done?: boolean;
    /** Additional milliseconds of each query. */
    readonly slowMs?: number;
  };
  readonly asset?: { readonly file: string; readonly how: "missing" | "once" | "truncated" | "flipped" } | undefined;
  /** Whether WebAssembly memory cannot grow, or a module cannot be instantiated (once or always). */
  readonly memory?: "grow" | "instance once" | "instance" | undefined;
  /** The clock's error, in milliseconds. */
  readonly clockMs?: number;
  /** A replacement for the secret TOKEN_KEYS; null removes it. */
  readonly tokenKeys?: string | null;
}
