import type { OpenAPIHono } from "@hono/zod-openapi";
import type { RequestIdVariables } from "hono/request-id";
import type { SecureHeadersVariables } from "hono/secure-headers";
import type { Access } from "../../src/auth/access.ts";
import type { Reservation } from "../../src/lib/budget.ts";
import type { AnswerTimings } from "../../src/serving/predictor.ts";
import type { Shards } from "../../src/sharding/shards.ts";
import type { ProfileHistory } from "../../src/storage/history.ts";
import type { ProfileRegistry } from "../../src/storage/profiles.ts";
import type { TaskRegistry } from "../../src/storage/tasks.ts";
import type { RequestEnv } from "../platform/platform.ts";
import type { Sessions } from "./bookmarks.ts";
import type { ProblemCode } from "./problem-codes.ts";

/** Tasks, profiles and their history, at the primary databases. */
export interface Registry {
  readonly shards: Shards;
  readonly tasks: TaskRegistry;
  readonly profiles: ProfileRegistry;
  readonly history: ProfileHistory;
}

/** Hono's environment of this app. */
export interface AppEnv {
  Bindings: RequestEnv;
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
      /** Milliseconds of a prediction's phases, for whoever observes requests. */
      timings: AnswerTimings | undefined;
    };
}

export type App = OpenAPIHono<AppEnv>;
