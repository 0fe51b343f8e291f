import type { KeyRecord, NewKey } from "../../src/auth/api-keys.ts";
import type { Push } from "../../src/storage/push.ts";

/** The runtimes that serve the app. */
export const RUNTIMES = ["workerd", "node", "deno", "bun"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/** What differs from the server of most tests. */
export interface RuntimeOptions {
  /** Requests of one caller in a minute. */
  readonly requests?: number;
  /** Learning runs of one caller in a minute. */
  readonly learning?: number;
  /** Seconds for which an old row or key may be used. */
  readonly cacheTtlSeconds?: number;
  /** The number of databases that hold profiles; 1 by default, 0 for profile tokens alone. */
  readonly databases?: number;
  readonly engine?: "auto" | "onnxruntime";
}

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A server that is a process of its own. */
export interface RuntimeProcess {
  /** Sends SIGINT. Resolves when the process has ended. */
  stop(): Promise<void>;
  /** Starts it again on the same databases and port. */
  start(): Promise<void>;
  /** Takes the first database's lock for writes. @returns a function that frees it */
  lock(): Promise<() => Promise<void>>;
}

/** The app as one runtime serves it, behind a real HTTP server, with empty databases of its own. */
export interface Runtime {
  readonly name: RuntimeName;
  readonly url: URL;
  /** A key with every scope. */
  readonly adminKey: string;
  makeKey(parts?: Partial<NewKey>): Promise<string>;
  /** Returns the stored keys. */
  keys(): Promise<KeyRecord[]>;
  readonly push: Push;
  /** Runs a statement on the first database. */
  sql(statement: string): Promise<void>;
  /** Returns the lines that were logged since the start. */
  logs(): readonly LogLine[];
  /** What only a process has, whose databases are files; null where the databases end with the server. */
  readonly process: RuntimeProcess | null;
  close(): Promise<void>;
}

/** The page that may call the API from another origin. */
export const ORIGIN = "https://app.example";

/** Settings of every server, by their names in wrangler.toml. */
export const settingsOf = ({ cacheTtlSeconds = 0, engine = "auto" }: RuntimeOptions) => ({
  PUBLIC_PREDICT: "true",
  CORS_ORIGINS: ORIGIN,
  CACHE_TTL_SECONDS: String(cacheTtlSeconds),
  ENGINE: engine,
});
