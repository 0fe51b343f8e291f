import { z } from "zod";
import { XpeftError } from "../../src/errors.ts";
import type { EngineChoice } from "../../src/model/trunk.ts";
import type { Bindings } from "../http/env.ts";

/** Bytes of the cached tasks, about fifty with adapters or eight with pools too, and of the cached profiles, about six thousand. */
export const ROW_CACHE_BYTES = 4 * 1024 * 1024;

/** Most bytes of request bodies in flight in an isolate. Parsed, a body takes about five times its bytes. */
export const MAX_BODY_BYTES_IN_FLIGHT = 2 * 1024 * 1024;

/** The largest part of these bytes that one caller can have of what the other callers leave. */
export const CALLER_SHARE = 3 / 4;

/** Most seconds of wall-clock time for learning a profile: less than `limits.cpu_ms` of wrangler.toml. */
export const LEARN_SECONDS = 60;

const origin = z
  .string()
  .refine((text) => text === "*" || (URL.canParse(text) && new URL(text).origin === text), "is not an origin");

const settingsSchema = z.object({
  CACHE_TTL_SECONDS: z
    .string()
    .regex(/^\d{1,6}$/, "is not a whole number of seconds; 0 turns caching off")
    .transform(Number),
  PUBLIC_PREDICT: z.enum(["true", "false"]).transform((text) => text === "true"),
  CORS_ORIGINS: z
    .string()
    .transform((list) => list.split(",").flatMap((one) => one.trim() || []))
    .pipe(z.array(origin)),
  ENGINE: z.enum(["auto", "onnxruntime"]).default("auto"),
});

/** The deploy's settings, without secrets. */
export interface Settings {
  readonly cacheTtlSeconds: number;
  readonly publicPredict: boolean;
  readonly corsOrigins: readonly string[];
  readonly engine: EngineChoice;
}

/** Parsed settings: an isolate's variables do not change, and each request reads them several times. */
const parsedSettings = new WeakMap<Bindings, Settings>();

/** Returns the parsed variables of wrangler.toml. @throws XpeftError `invalid_setting` */
export function readSettings(env: Bindings): Settings {
  const cached = parsedSettings.get(env);
  if (cached) return cached;
  const parsed = settingsSchema.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new XpeftError(
      "invalid_setting",
      `The variable ${issue?.path[0] ? String(issue.path[0]) : ""}: ${issue?.message}.`,
      { reason: "variable" },
    );
  }
  const { CACHE_TTL_SECONDS, PUBLIC_PREDICT, CORS_ORIGINS, ENGINE } = parsed.data;
  const settings = {
    cacheTtlSeconds: CACHE_TTL_SECONDS,
    publicPredict: PUBLIC_PREDICT,
    corsOrigins: CORS_ORIGINS,
    engine: ENGINE,
  };
  parsedSettings.set(env, settings);
  return settings;
}
