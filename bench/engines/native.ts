import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { compileEncoderKernels } from "../../node/engine.ts";
import { readBundle, readFolder } from "../../node/files.ts";
import { loadKernelTrunk } from "../../src/model/kernel-trunk.ts";
import { BUNDLE, ENCODER } from "../graphs.ts";
import { tokenIds } from "../worker/feeds.ts";
import { type Sampling, sampleInRounds } from "../worker/sampling.ts";
import { someAdapters } from "./adapters.ts";

/**
 * Measures native ONNX Runtime, on one thread, and the kernels on a text, both in this process.
 *
 * @returns milliseconds, one number a round
 */
export async function measureNative(
  tokens: number,
  sampling: Sampling,
): Promise<{ native: number[]; kernels: number[] }> {
  const { manifest } = await readBundle(BUNDLE);
  const { layers, hidden, bottleneck } = manifest;
  const compiled = await compileEncoderKernels();
  const trunk = compiled && (await loadKernelTrunk(manifest, readFolder(BUNDLE), compiled));
  if (!trunk) throw new Error("This Node or the bundle has no kernels of the encoder.");
  const session = await InferenceSession.create(join(BUNDLE, ENCODER.graph), {
    executionProviders: ["cpu"],
    executionMode: "sequential",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const adapters = someAdapters(manifest);
  const [ids, typeIds] = [tokenIds(tokens), new Int32Array(tokens)];
  const ones = new Float32Array(layers * bottleneck).fill(1);
  const feeds = {
    input_ids: new Tensor("int32", ids, [1, tokens]),
    token_type_ids: new Tensor("int32", typeIds, [1, tokens]),
    adapter_down: new Tensor("float32", adapters.down, [layers, hidden, bottleneck]),
    adapter_up: new Tensor("float32", adapters.up, [layers, bottleneck, hidden]),
    adapter_gain: new Tensor("float32", ones, [layers, bottleneck]),
    adapter_shift: new Tensor("float32", new Float32Array(ones.length), [layers, bottleneck]),
  };
  const candidates = {
    native: () => session.run(feeds, ["residual"]),
    kernels: () => trunk.runToResidual({ ids, typeIds }, () => adapters),
  };
  const times = await sampleInRounds(candidates, sampling);
  await session.release();
  return times;
}
