import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import type { Bindings } from "../../functions/http/env.ts";
import { readAsset } from "../../functions/platform/assets.ts";
import { readManifest } from "../../src/bundle/files.ts";
import { startStopwatch } from "../../src/lib/stopwatch.ts";
import { createEncoder, type ReadText } from "../../src/model/encoder.ts";
import { heapBytes } from "../../src/model/onnx-runtime.ts";
import { someAdapters } from "../engines/adapters.ts";
import kernels from "../engines/kernels/trunk.wasm";
import type { EncoderSizes } from "../engines/layout.ts";
import { createTrunk } from "../engines/trunk.ts";
import { tokenIds } from "./feeds.ts";
import type { Isolate } from "./isolate.ts";
import { type Sampling, sampleInRounds } from "./sampling.ts";

/** What reads texts: ONNX Runtime, or the kernels. */
export type EngineName = "runtime" | "kernels";

/** An engine that is ready. */
interface Opened {
  readonly bytes: number;
  /** Returns a text's residual. */
  read(text: ReadText): Promise<Float32Array> | Float32Array;
}

const textOf = (tokens: number): ReadText => ({ ids: tokenIds(tokens), typeIds: new Int32Array(tokens) });

async function readFile(env: Bindings, path: string): Promise<Uint8Array> {
  const bytes = await readAsset(env.ASSETS)(path);
  if (!bytes) throw new Error(`The bench has no file "${path}".`);
  return bytes;
}

/** Opens an engine. @param onRead is called when its files are read */
async function open(name: EngineName, env: Bindings, onRead = () => {}): Promise<Opened> {
  if (name === "kernels") {
    const sizes: EncoderSizes = JSON.parse(new TextDecoder().decode(await readFile(env, "sizes.json")));
    const packed = await readFile(env, "encoder.packed");
    onRead();
    const adapters = someAdapters(sizes);
    const { bytes, run } = createTrunk(kernels, sizes, packed);
    return { bytes, read: (text) => run(text, adapters) };
  }
  const { manifest } = await readManifest(readAsset(env.ASSETS));
  const adapters = someAdapters(manifest);
  const files = new Map<string, Uint8Array>();
  for (const { path, role } of manifest.files)
    if (role === "graph" || role === "weights") files.set(path, await readFile(env, path));
  onRead();
  const { runToResidual } = await createEncoder(wasm, manifest, async (path) => files.get(path) ?? null);
  return { bytes: heapBytes(), read: (text) => runToResidual(text, () => adapters) };
}

/** Measures both engines on a text. Returns milliseconds. */
export async function engines({ tokens, ...sampling }: Sampling & { tokens: number }, { env }: Isolate) {
  const [runtime, own] = [await open("runtime", env), await open("kernels", env)];
  const text = textOf(tokens);
  return await sampleInRounds({ runtime: () => runtime.read(text), kernels: () => own.read(text) }, sampling);
}

/** Opens an engine and reads a text twice. Milliseconds and bytes are only true for the first call in an isolate. */
export async function coldEngine({ engine, tokens }: { engine: EngineName; tokens: number }, { env }: Isolate) {
  const lap = startStopwatch();
  let files = 0;
  const opened = await open(engine, env, () => {
    files = lap();
  });
  const create = lap();
  const text = textOf(tokens);
  await opened.read(text);
  const first = lap();
  await opened.read(text);
  return { files, create, first, second: lap(), bytes: opened.bytes };
}
