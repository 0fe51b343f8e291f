import { z } from "zod";
import { XpeftError } from "../../src/errors.ts";
import type { Bindings } from "../http/env.ts";

/** Room for some hundred heads and some thousand profiles, next to an isolate's 128 MB. */
export const ROW_CACHE_BYTES = 4 * 1024 * 1024;

/** Bytes of bodies that an isolate holds at once, each until its request is answered. Parsed, they take some five times that. */
export const MAX_BODY_BYTES_IN_FLIGHT = 2 * 1024 * 1024;

/** Seconds that a learning may take, of all that the isolate does meanwhile: less than `limits.cpu_ms` of wrangler.toml. */
export const LEARN_SECONDS = 60;

const origin = z
  .string()
  .refine((text) => text === "*" || (URL.canParse(text) && new URL(text).origin === text), "is not an origin");

const settingsSchema = z.object({
  CACHE_TTL_SECONDS: z
    .string()
    .regex(/^\d{1,6}$/, "is not a whole number of seconds; 0 keeps no rows")
    .transform(Number),
  PUBLIC_PREDICT: z.enum(["true", "false"]).transform((text) => text === "true"),
  CORS_ORIGINS: z
    .string()
    .transform((list) => list.split(",").flatMap((one) => one.trim() || []))
    .pipe(z.array(origin)),
});

/** The deploy's settings that are not secret. */
export interface Settings {
  readonly cacheTtlSeconds: number;
  readonly publicPredict: boolean;
  readonly corsOrigins: readonly string[];
}

/** What was read already: the variables of an isolate do not change, and each request asks for them several times. */
const known = new WeakMap<Bindings, Settings>();

/** Reads the variables of wrangler.toml. @throws XpeftError `invalid_setting` if one is not what it must be */
export function readSettings(env: Bindings): Settings {
  const read = known.get(env);
  if (read) return read;
  const parsed = settingsSchema.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new XpeftError(
      "invalid_setting",
      `The variable ${issue?.path[0] ? String(issue.path[0]) : ""}: ${issue?.message}.`,
      "Set it under [vars] in wrangler.toml; the file tells what each is.",
    );
  }
  const { CACHE_TTL_SECONDS, PUBLIC_PREDICT, CORS_ORIGINS } = parsed.data;
  const settings = { cacheTtlSeconds: CACHE_TTL_SECONDS, publicPredict: PUBLIC_PREDICT, corsOrigins: CORS_ORIGINS };
  known.set(env, settings);
  return settings;
}
