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
  /** Not there in a deploy that answers for profile tokens only. */
  readonly DB?: D1Database;
  /** More databases, where profiles are spread over several: DB_1, DB_2 and on, without a gap. */
  readonly [name: `DB_${number}`]: D1Database | undefined;
  /** The bundle's files. */
  readonly ASSETS: Fetcher;
  /** Counts requests; without it there is no limit. */
  readonly RATE_LIMITER?: RateLimit;
  /** Counts learnings; without it they count as any request. */
  readonly LEARN_LIMITER?: RateLimit;
  /** Takes a data point for each request; without it none is written. */
  readonly ANALYTICS?: AnalyticsEngineDataset;
  /** Seconds a row or a key may be answered from the cache, as decimal digits; 0 keeps none. */
  readonly CACHE_TTL_SECONDS: string;
  /** "true" if predictions need no key. */
  readonly PUBLIC_PREDICT: string;
  /** Origins whose pages may call the API, with commas between them; "*" for all, empty for none. */
  readonly CORS_ORIGINS: string;
  /** The secret that profile tokens are signed with; without it there are none. */
  readonly TOKEN_KEYS?: string;
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
      /** Who asks; set by the access middleware. */
      access: Access;
      /** The profile token that came as the credential. */
      token: string | null;
      /** Throws once what the caller came with is taken no longer; set by the access middleware. */
      stillAllowed: () => Promise<void>;
      /** Opens the registry, once a request; set by the registry middleware. */
      registry: () => Promise<Registry>;
      /** The database sessions of the request, if it has opened any. */
      sessions: Sessions | undefined;
      /** Room that the request takes for its body. */
      held: Reservation | undefined;
      /** Settles when an answer that is a stream has ended. */
      streaming: Promise<void> | undefined;
      /** Whether the caller hung up before the end of a stream, for the log. */
      aborted: true | undefined;
      /** What went wrong, for the log. */
      problem: ProblemCode | undefined;
      /** Texts that were answered, for the log. */
      texts: number | undefined;
    };
}

export type App = OpenAPIHono<AppEnv>;
