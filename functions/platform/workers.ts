import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { description, license, version } from "#package.json";
import api from "#pages/api.html";
import app from "#pages/app.js.gz";
import local from "#pages/local.js.gz";
import playground from "#pages/playground.html";
import style from "#pages/viewer.css.gz";
import viewer from "#pages/viewer.js.gz";
import type { Limit, Platform } from "../../app/platform/platform.ts";
import { parseSettings, type Settings } from "../../app/platform/settings.ts";
import encoderKernels from "../../src/model/kernels/encoder.wasm";
import kernels from "../../src/model/kernels/kernels.wasm";
import { createWebRuntime } from "../../src/model/web-runtime.ts";
import { bundleAssets } from "./assets.ts";
import type { Bindings } from "./bindings.ts";
import { d1Databases } from "./databases.ts";
import { HINTS } from "./hints.ts";

const PAGES = {
  playground,
  api,
  gzipped: { "app.js": app, "local.js": local, "viewer.js": viewer, "viewer.css": style },
};

const limitOf = (limiter: RateLimit | undefined): Limit | null =>
  limiter ? async (caller) => (await limiter.limit({ key: caller })).success : null;

function createPlatform(env: Bindings): Platform {
  let settings: Settings | undefined;
  return {
    about: { version, description, license },
    settings() {
      // The bindings have other names too. An isolate's variables do not change.
      settings ??= parseSettings(env);
      return settings;
    },
    tokenKeys: () => env.TOKEN_KEYS,
    localPageKey: env.LOCAL_PAGE_KEY,
    databases: d1Databases(env),
    bundle: bundleAssets(env.ASSETS),
    pages: PAGES,
    docs: (request) => env.ASSETS.fetch(request),
    modules: async (choice) => ({
      // Null in a build without ONNX Runtime.
      onnx: wasm && createWebRuntime(wasm),
      kernels,
      encoderKernels: choice === "auto" ? encoderKernels : null,
    }),
    // Longer than the platform lets a load go on after its request has ended.
    loadEndsAfterMs: 60_000,
    limits: { requests: limitOf(env.RATE_LIMITER), learning: limitOf(env.LEARN_LIMITER) },
    now: () => Date.now(),
    observe({ caller, method, route, code, status, milliseconds, texts }) {
      env.ANALYTICS?.writeDataPoint({
        indexes: [caller ?? "none"],
        blobs: [method, route, code ?? ""],
        doubles: [status, milliseconds, texts ?? 0],
      });
    },
    hints: HINTS,
  };
}

const platforms = new WeakMap<Bindings, Platform>();

/** Returns the platform of an isolate's bindings: Cloudflare Workers. */
export function workersPlatform(env: Bindings): Platform {
  const platform = platforms.get(env) ?? createPlatform(env);
  platforms.set(env, platform);
  return platform;
}
