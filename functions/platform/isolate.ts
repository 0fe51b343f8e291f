import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { type Authenticator, createAuthenticator } from "../../src/auth/authenticator.ts";
import { readManifest } from "../../src/bundle/files.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import encoderKernels from "../../src/model/kernels/encoder.wasm";
import kernels from "../../src/model/kernels/kernels.wasm";
import { createEngine, type Engine } from "../../src/serving/engine.ts";
import { createFanOut, type FanOut } from "../../src/serving/fan-out.ts";
import { createPredictor, type Predictor } from "../../src/serving/predictor.ts";
import { createRowCache, type RowCache } from "../../src/serving/row-cache.ts";
import type { Bindings } from "../http/env.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import { readAsset } from "./assets.ts";
import { oncePerIsolate } from "./once-per-isolate.ts";
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
  readonly fanOut: FanOut;
  readonly cache: RowCache;
}

/** Returns the isolate's service. */
export const isolateService = oncePerIsolate<Service>(async (env) => {
  const { cacheTtlSeconds: ttlSeconds, engine: choice } = readSettings(env);
  const modules = { wasm, kernels, encoderKernels: choice === "auto" ? encoderKernels : null };
  const engine = await createEngine({ read: readAsset(env.ASSETS), ...modules });
  if (choice === "auto" && engine.name !== "kernels") {
    const message = "The bundle has no packed encoder, so ONNX Runtime reads the texts, which is slower.";
    console.warn(JSON.stringify({ level: "warn", engine: engine.name, bundle: engine.bundle.id, message }));
  }
  const cache = createRowCache({ maxBytes: ROW_CACHE_BYTES, ttlSeconds });
  return { engine, cache, predictor: createPredictor({ engine, cache }), fanOut: createFanOut({ engine, cache }) };
});

/** Returns the bundle's id and manifest without loading the encoder. */
export const isolateBundle = oncePerIsolate<Bundle>((env) => readManifest(readAsset(env.ASSETS)));

let authenticator: Authenticator | undefined;

/** Returns the isolate's authenticator, which caches keys. */
export function isolateAuthenticator(env: Bindings): Authenticator {
  authenticator ??= createAuthenticator({ ttlSeconds: readSettings(env).cacheTtlSeconds });
  return authenticator;
}
