import type { OpenAPIHono } from "@hono/zod-openapi";
import type { RequestIdVariables } from "hono/request-id";
import type { SecureHeadersVariables } from "hono/secure-headers";
import type { Access } from "../../src/auth/access.ts";
import type { Reservation } from "../../src/lib/budget.ts";
import type { Shards } from "../../src/sharding/shards.ts";
import type { ProfileHistory } from "../../src/storage/history.ts";
import type { ProfileRegistry } from "../../src/storage/profiles.ts";
import type { TaskRegistry } from "../../src/storage/tasks.ts";
import type { Sessions } from "./bookmarks.ts";
import type { ProblemCode } from "./problem-codes.ts";

/** What wrangler.toml binds. */
export interface Bindings {
  /** Absent in a deploy that serves profile tokens alone. */
  readonly DB?: D1Database;
  /** More databases if profiles are sharded: DB_1, DB_2 and so on, without a gap. */
  readonly [name: `DB_${number}`]: D1Database | undefined;
  /** The bundle's files. */
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

/** Tasks, profiles and their history, at the primary databases. */
export interface Registry {
  readonly shards: Shards;
  readonly tasks: TaskRegistry;
  readonly profiles: ProfileRegistry;
  readonly history: ProfileHistory;
}

/** Hono's environment of this Worker. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: RequestIdVariables &
    SecureHeadersVariables & {
      /** What the caller may do; set by the access middleware. */
      access: Access;
      /** The name under which the caller is counted: of its key or its address. Set by the access middleware. */
      caller: string;
      /** The profile token that the request carries as its credential. */
      token: string | null;
      /** Throws if the caller's key or token is no longer valid; set by the access middleware. */
      stillAllowed: () => Promise<void>;
      /** Opens the registry, once a request; set by the registry middleware. */
      registry: () => Promise<Registry>;
      /** The database sessions of the request, if it has opened any. */
      sessions: Sessions | undefined;
      /** The request's reservation in the body budget. */
      bodyReservation: Reservation | undefined;
      /** Settles when a streamed answer ends. */
      streaming: Promise<void> | undefined;
      /** Whether the caller disconnected before the end of a stream, for the log. */
      aborted: true | undefined;
      /** The problem's code, for the log. */
      problem: ProblemCode | undefined;
      /** Number of texts answered, for the log. */
      texts: number | undefined;
    };
}

export type App = OpenAPIHono<AppEnv>;
