import { drizzle } from "drizzle-orm/d1";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createEngine, type Engine } from "../src/engine.ts";
import { createPredictor, type Predict } from "../src/predictor.ts";
import { createStore, type ProfileStore } from "../src/store.ts";
import { readAsset } from "./assets.ts";
import type { Bindings } from "./env.ts";
import { cacheLimits } from "./settings.ts";

/** What answers predictions; one in an isolate. */
export interface Service {
  readonly engine: Engine;
  readonly predict: Predict;
}

/** Whatever outlives the request at hand: Hono's and the platform's execution context. */
interface Lifetime {
  waitUntil(promise: Promise<unknown>): void;
}

let service: Promise<Service> | undefined;

/** The store over the Worker's database. */
export function storeOf(env: Bindings): ProfileStore {
  return createStore(drizzle(env.DB));
}

async function load(env: Bindings): Promise<Service> {
  const cache = cacheLimits(env.CACHE_TTL_SECONDS);
  const engine = await createEngine({ read: readAsset(env.ASSETS), wasm });
  return { engine, predict: createPredictor({ engine, store: storeOf(env), cache }) };
}

/**
 * The isolate's service, loaded by the first who asks and shared by all.
 *
 * The load is the first caller's input and output, and would end with its request: it is kept alive past a caller who
 * hangs up, as others may be waiting for it by then. A load that fails is forgotten, so that the next request tries anew.
 */
export function serviceOf(env: Bindings, lifetime: Lifetime): Promise<Service> {
  if (service) return service;
  const loading = load(env);
  service = loading;
  lifetime.waitUntil(
    loading.catch(() => {
      service = undefined;
    }),
  );
  return loading;
}
