import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { type Authenticator, createAuthenticator } from "../../src/auth/api-keys.ts";
import { readManifest } from "../../src/bundle/files.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import kernels from "../../src/model/pool/kernels.wasm";
import { createEngine, type Engine } from "../../src/serving/engine.ts";
import { createPredictor, type Predictor } from "../../src/serving/predictor.ts";
import { createRowCache, type RowCache } from "../../src/serving/row-cache.ts";
import type { Bindings } from "../http/env.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import { readAsset } from "./assets.ts";
import { ROW_CACHE_BYTES, readSettings } from "./settings.ts";

/** Problems of the bundle's manifest, for routes that need no more of the bundle. */
export const BUNDLE_PROBLEMS = [
  "invalid_manifest",
  "bundle_file_missing",
  "bundle_unusable",
] as const satisfies ProblemCode[];

/** What answers predictions; one in an isolate. */
export interface Service {
  readonly engine: Engine;
  readonly predictor: Predictor;
  readonly cache: RowCache;
}

/** Whatever outlives the request at hand: Hono's and the platform's execution context. */
interface Lifetime {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * Something that an isolate loads once, by the first who asks, and all share.
 *
 * The load is the first caller's input and output, and would end with its request: it is kept alive past a caller who
 * hangs up, as others may be waiting for it by then. A load that fails is forgotten, so that the next request tries anew.
 */
function oncePerIsolate<T>(load: (env: Bindings) => Promise<T>): (env: Bindings, lifetime: Lifetime) => Promise<T> {
  let loaded: Promise<T> | undefined;
  return (env, lifetime) => {
    if (loaded) return loaded;
    const loading = load(env);
    loaded = loading;
    lifetime.waitUntil(
      loading.catch(() => {
        loaded = undefined;
      }),
    );
    return loading;
  };
}

/** The isolate's service. */
export const isolateService = oncePerIsolate<Service>(async (env) => {
  const { cacheTtlSeconds: ttlSeconds } = readSettings(env);
  const engine = await createEngine({ read: readAsset(env.ASSETS), wasm, kernels });
  const cache = createRowCache({ maxBytes: ROW_CACHE_BYTES, ttlSeconds });
  return { engine, cache, predictor: createPredictor({ engine, cache }) };
});

/** The deploy's bundle by its manifest, without loading the encoder. */
export const isolateBundle = oncePerIsolate<Bundle>((env) => readManifest(readAsset(env.ASSETS)));

/** What knows the isolate's callers. */
export const isolateAuthenticator = oncePerIsolate<Authenticator>(async (env) =>
  createAuthenticator({ ttlSeconds: readSettings(env).cacheTtlSeconds }),
);
