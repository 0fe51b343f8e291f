import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { bundleAssets } from "../../functions/platform/assets.ts";
import type { Bindings } from "../../functions/platform/bindings.ts";
import { readManifest } from "../../src/bundle/files.ts";
import { startStopwatch } from "../../src/lib/stopwatch.ts";
import { createEncoder } from "../../src/model/encoder.ts";
import { loadKernelTrunk } from "../../src/model/kernel-trunk.ts";
import encoderKernels from "../../src/model/kernels/encoder.wasm";
import type { EngineName } from "../../src/model/trunk.ts";
import { createWebRuntime } from "../../src/model/web-runtime.ts";
import { someAdapters } from "../engines/adapters.ts";
import { tokenIds } from "./feeds.ts";
import { createProducts, type FloorParams } from "./floor.ts";
import type { Isolate } from "./isolate.ts";
import { type Sampling, sampleInRounds } from "./sampling.ts";

/** Parameters of {@link engines}. */
interface EnginesParams extends Sampling {
  readonly tokens: number;
  readonly floor: Omit<FloorParams, "tokens">;
}

/** Opens an engine. @param onRead is called when its files are read */
export async function openEngine(name: EngineName, env: Bindings, onRead = () => {}) {
  const { manifest } = await readManifest(bundleAssets(env.ASSETS).read);
  const files = new Map<string, Uint8Array | null>();
  const roles = name === "kernels" ? ["packed"] : ["graph", "weights"];
  for (const { path, role } of manifest.files)
    if (roles.includes(role)) files.set(path, await bundleAssets(env.ASSETS).read(path));
  onRead();
  const read = async (path: string) => files.get(path) ?? null;
  const onnx = createWebRuntime(wasm);
  const kernels = name === "kernels" ? await loadKernelTrunk(manifest, read, encoderKernels) : null;
  const trunk = kernels ?? (await createEncoder(onnx, manifest, read));
  if (trunk.engine !== name) throw new Error("The bundle has no packed encoder.");
  const adapters = someAdapters(manifest);
  return {
    bytes: trunk.bytes || onnx.heapBytes(),
    /** Reads a text of so many tokens, under adapters of a realistic size. */
    read: (tokens: number) =>
      trunk.runToResidual({ ids: tokenIds(tokens), typeIds: new Int32Array(tokens) }, () => adapters),
  };
}

/** Measures both engines on a text, and the int8 products that neither can avoid. Returns milliseconds. */
export async function engines({ tokens, floor, ...sampling }: EnginesParams, { env }: Isolate) {
  const [runtime, kernels] = [await openEngine("onnxruntime", env), await openEngine("kernels", env)];
  const products = createProducts({ ...floor, tokens });
  const candidates = { onnxruntime: () => runtime.read(tokens), kernels: () => kernels.read(tokens), products };
  return await sampleInRounds(candidates, sampling);
}

/** Opens an engine and reads a text twice. Milliseconds and bytes are only true for the first call in an isolate. */
export async function coldEngine({ engine, tokens }: { engine: EngineName; tokens: number }, { env }: Isolate) {
  const lap = startStopwatch();
  let files = 0;
  const opened = await openEngine(engine, env, () => {
    files = lap();
  });
  const create = lap();
  await opened.read(tokens);
  const first = lap();
  await opened.read(tokens);
  return { files, create, first, second: lap(), bytes: opened.bytes };
}
