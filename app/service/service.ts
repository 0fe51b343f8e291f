import { type Authenticator, createAuthenticator } from "../../src/auth/authenticator.ts";
import { readManifest } from "../../src/bundle/files.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { createEngine, type Engine } from "../../src/serving/engine.ts";
import { createFanOut, type FanOut } from "../../src/serving/fan-out.ts";
import { createPredictor, type Predictor } from "../../src/serving/predictor.ts";
import { createRowCache, type RowCache } from "../../src/serving/row-cache.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import type { Platform } from "../platform/platform.ts";
import { ROW_CACHE_BYTES } from "../platform/settings.ts";
import { oncePerPlatform } from "./once-per-platform.ts";

/** Problems of the bundle's manifest, for routes that read only the manifest. */
export const BUNDLE_PROBLEMS = [
  "invalid_manifest",
  "bundle_file_missing",
  "bundle_unusable",
] as const satisfies ProblemCode[];

/** Problems of the whole bundle, for routes that load the engine. */
export const ENGINE_PROBLEMS = [...BUNDLE_PROBLEMS, "bundle_file_corrupt"] as const satisfies ProblemCode[];

/** What answers predictions: one an isolate. */
export interface Service {
  readonly engine: Engine;
  readonly predictor: Predictor;
  readonly fanOut: FanOut;
  readonly cache: RowCache;
}

/** Returns the platform's service. */
export const serviceOf = oncePerPlatform<Service>(async (platform) => {
  const { cacheTtlSeconds: ttlSeconds, engine: choice } = platform.settings();
  const engine = await createEngine({ read: platform.bundle.read, ...(await platform.modules(choice)) });
  if (choice === "auto" && engine.name === "onnxruntime") {
    const message = "The bundle has no packed encoder, so ONNX Runtime reads the texts, which is slower.";
    console.warn(JSON.stringify({ level: "warn", engine: engine.name, bundle: engine.bundle.id, message }));
  }
  const cache = createRowCache({ maxBytes: ROW_CACHE_BYTES, ttlSeconds });
  return { engine, cache, predictor: createPredictor({ engine, cache }), fanOut: createFanOut({ engine, cache }) };
});

/** Returns the bundle's id and manifest without loading the encoder. */
export const bundleOf = oncePerPlatform<Bundle>(({ bundle }) => readManifest(bundle.read));

const authenticators = new WeakMap<Platform, Authenticator>();

/** Returns the platform's authenticator, which caches keys. */
export function authenticatorOf(platform: Platform): Authenticator {
  const { now } = platform;
  const authenticator =
    authenticators.get(platform) ?? createAuthenticator({ ttlSeconds: platform.settings().cacheTtlSeconds, now });
  authenticators.set(platform, authenticator);
  return authenticator;
}
