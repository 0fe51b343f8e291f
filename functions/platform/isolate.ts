import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { type Authenticator, createAuthenticator } from "../../src/auth/authenticator.ts";
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
  readonly cache: RowCache;
}

/** The execution context of Hono and of the platform. */
interface Lifetime {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * Returns a function that loads something once an isolate and shares it.
 *
 * Each request awaits a promise that it made itself. workerd continues a promise in the request that made it: a request
 * that awaited another's would then make its answer there, and workerd rejects such an answer.
 *
 * The load belongs to the first caller's request and would end with it. It is kept alive if that caller disconnects, as
 * others may wait for it. A load that fails is forgotten, so that the next request tries again.
 */
export function oncePerIsolate<T>(
  load: (env: Bindings) => Promise<T>,
): (env: Bindings, lifetime: Lifetime) => Promise<T> {
  let loaded: { readonly value: T } | undefined;
  let waiting: PromiseWithResolvers<T>[] = [];

  function endWait(settle: (request: PromiseWithResolvers<T>) => void): void {
    const requests = waiting;
    waiting = [];
    for (const request of requests) settle(request);
  }

  return async (env, lifetime) => {
    if (loaded) return loaded.value;
    const request = Promise.withResolvers<T>();
    waiting.push(request);
    if (waiting.length > 1) return await request.promise;
    const loading = load(env).then(
      (value) => {
        loaded = { value };
        endWait(({ resolve }) => resolve(value));
      },
      (error: unknown) => endWait(({ reject }) => reject(error)),
    );
    lifetime.waitUntil(loading);
    return await request.promise;
  };
}

/** Returns the isolate's service. */
export const isolateService = oncePerIsolate<Service>(async (env) => {
  const { cacheTtlSeconds: ttlSeconds } = readSettings(env);
  const engine = await createEngine({ read: readAsset(env.ASSETS), wasm, kernels });
  const cache = createRowCache({ maxBytes: ROW_CACHE_BYTES, ttlSeconds });
  return { engine, cache, predictor: createPredictor({ engine, cache }) };
});

/** Returns the bundle's id and manifest without loading the encoder. */
export const isolateBundle = oncePerIsolate<Bundle>((env) => readManifest(readAsset(env.ASSETS)));

let authenticator: Authenticator | undefined;

/** Returns the isolate's authenticator, which caches keys. */
export function isolateAuthenticator(env: Bindings): Authenticator {
  authenticator ??= createAuthenticator({ ttlSeconds: readSettings(env).cacheTtlSeconds });
  return authenticator;
}
