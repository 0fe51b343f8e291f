/** What is broken of what the Worker stands on; nothing where it says nothing. */
export interface Broken {
  readonly database?: {
    /** What D1 says instead of answering. */
    readonly error?: string;
    /** Whether it only fails to write. */
    readonly writesOnly?: boolean;
    /** Whether it does what it is asked, and says so all the same. */
    readonly done?: boolean;
    /** Milliseconds that each query takes longer. */
    readonly slowMs?: number;
  };
  readonly asset?: { readonly file: string; readonly how: "missing" | "once" | "truncated" | "flipped" } | undefined;
  /** WebAssembly memory that grows no more; or a module that cannot be instantiated, once or ever. */
  readonly memory?: "grow" | "instance once" | "instance" | undefined;
  /** By how much the clock is wrong. */
  readonly clockMs?: number;
  /** The secret TOKEN_KEYS in the place of the real one; null for none. */
  readonly tokenKeys?: string | null;
}
