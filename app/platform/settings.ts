import { z } from "zod";
import { XpeftError } from "../../src/errors.ts";
import type { EngineChoice } from "../../src/model/trunk.ts";

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

/** The settings as texts, by the names of docs/operations.md. */
export type SettingTexts = Readonly<Partial<Record<keyof z.input<typeof settingsSchema>, string>>>;

/**
 * Parses the settings.
 *
 * @param prefix of the names where the platform keeps them, for messages
 * @throws XpeftError `invalid_setting`
 */
export function parseSettings(texts: SettingTexts, prefix = ""): Settings {
  const parsed = settingsSchema.safeParse(texts);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const name = issue?.path[0] === undefined ? "" : `${prefix}${String(issue.path[0])}`;
    throw new XpeftError("invalid_setting", `The variable ${name}: ${issue?.message}.`, { reason: "variable" });
  }
  const { CACHE_TTL_SECONDS, PUBLIC_PREDICT, CORS_ORIGINS, ENGINE } = parsed.data;
  return {
    cacheTtlSeconds: CACHE_TTL_SECONDS,
    publicPredict: PUBLIC_PREDICT,
    corsOrigins: CORS_ORIGINS,
    engine: ENGINE,
  };
}
