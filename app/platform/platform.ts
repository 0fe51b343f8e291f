import type { ReadFile } from "../../src/bundle/files.ts";
import type { Modules } from "../../src/model/text-parts.ts";
import type { AnswerTimings } from "../../src/serving/predictor.ts";
import type { Database } from "../../src/storage/database.ts";
import type { PlatformHints } from "./hints.ts";
import type { RequestRecord } from "./record.ts";
import type { Settings } from "./settings.ts";

/** A database session of one request. */
export interface Session {
  readonly db: Database;
  /** Returns a bookmark of the state that the session has read or written; null if the database has none. */
  bookmark(): string | null;
}

/** The databases that hold tasks, profiles, their history and keys, by their numbers from 0. */
export interface Databases {
  /**
   * Returns their number; 0 if the service has none.
   *
   * @throws XpeftError `shard_map_mismatch` if one between others is missing
   */
  count(): number;
  /** Opens a database without a session. @param number from 0 to below `count()` */
  open(number: number): Database;
  /**
   * Opens a session of a database for one request.
   *
   * @param start "primary": reads see every write. Otherwise they may come from a replica that is at least as new as
   * this bookmark; empty: as old as it may be
   */
  openSession(number: number, start: "primary" | { readonly bookmark: string }): Session;
}

/** The bundle's files. */
export interface BundleFiles {
  readonly read: ReadFile;
  /** Opens a file as a stream, so that no more than a part of it is in memory. Returns null for a missing file. */
  open(path: string): Promise<ReadableStream<Uint8Array> | null>;
}

/** The built pages: HTML, and the files that they load, gzipped. */
export interface Pages {
  readonly playground: string;
  readonly api: string;
  readonly gzipped: Readonly<Record<"app.js" | "local.js" | "viewer.js" | "viewer.css", ArrayBuffer>>;
}

/** Counts a caller's requests. Resolves with whether the caller is within its limit. */
export type Limit = (caller: string) => Promise<boolean>;

/** What the app needs of the machine that it runs on. Each runtime's entry makes one, and keeps it. */
export interface Platform {
  /** The package that is served, for those who ask. */
  readonly about: { readonly version: string; readonly description: string; readonly license: string };
  /** Returns the parsed settings. @throws XpeftError `invalid_setting` */
  settings(): Settings;
  /** Returns the text of the signing keys; undefined if profile tokens are off. */
  tokenKeys(): string | undefined;
  /** The API key of the playground on this machine; undefined in production. */
  readonly localPageKey: string | undefined;
  readonly databases: Databases;
  readonly bundle: BundleFiles;
  readonly pages: Pages;
  /** Answers `/docs/…` from the built documentation; with status 404 and no HTML if there is none. */
  docs(request: Request): Promise<Response>;
  /** Returns the compiled WASM of the engine. @param choice of the settings */
  modules(choice: Settings["engine"]): Promise<Modules>;
  /** After how many milliseconds the platform has surely ended a load together with the request that began it. */
  readonly loadEndsAfterMs: number;
  /** Limits of one caller in a minute; null: without a limit. */
  readonly limits: { readonly requests: Limit | null; readonly learning: Limit | null };
  /** Returns the time in milliseconds since 1970, by which keys and tokens expire. */
  now(): number;
  /**
   * Receives the record of each request, after it was logged.
   *
   * @param timings milliseconds of a prediction's phases
   * @param header returns a header of the request
   */
  observe(
    record: RequestRecord,
    timings: AnswerTimings | undefined,
    header: (name: string) => string | undefined,
  ): void;
  readonly hints: PlatformHints;
}

/** What the app is given with each request. */
export interface RequestEnv {
  readonly platform: Platform;
  /** The caller's network address; "unknown" if the platform does not know it. */
  readonly callerAddress: string;
}

/** Keeps a request's work alive after its answer. */
export interface Lifetime {
  waitUntil(promise: Promise<unknown>): void;
}
