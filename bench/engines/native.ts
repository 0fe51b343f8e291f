import { compileEncoderKernels, loadWebRuntime } from "../../node/engine.ts";
import { readBundle, readFolder } from "../../node/files.ts";
import { loadNativeRuntime } from "../../node/native-runtime.ts";
import { createEncoder } from "../../src/model/encoder.ts";
import { loadKernelTrunk } from "../../src/model/kernel-trunk.ts";
import type { Trunk } from "../../src/model/trunk.ts";
import { BUNDLE } from "../graphs.ts";
import { tokenIds } from "../worker/feeds.ts";
import { type Candidate, type Sampling, sampleInRounds } from "../worker/sampling.ts";
import { someAdapters } from "./adapters.ts";

/** Milliseconds of a text in this process, one number a round. */
export type NodeTimes = Readonly<Record<"native" | "native2" | "web" | "nodeKernels", number[]>>;

/** The engines in this process: native ONNX Runtime on one thread and on two, ONNX Runtime Web, and the kernels. */
export interface NodeEngines {
  /** Measures all of them on a text of so many tokens. */
  measure(tokens: number, sampling: Sampling): Promise<NodeTimes>;
}

/** Opens the default bundle's encoder by every engine that Node has. */
export async function openNodeEngines(): Promise<NodeEngines> {
  const { manifest } = await readBundle(BUNDLE);
  const read = readFolder(BUNDLE);
  const compiled = await compileEncoderKernels();
  const kernels = compiled && (await loadKernelTrunk(manifest, read, compiled));
  if (!kernels) throw new Error("This Node or the bundle has no kernels of the encoder.");
  const native = await createEncoder(await loadNativeRuntime(), manifest, read);
  const native2 = await createEncoder(await loadNativeRuntime(2), manifest, read);
  const web = await createEncoder(await loadWebRuntime(), manifest, read);
  const adapters = someAdapters(manifest);
  return {
    async measure(tokens, sampling) {
      const text = { ids: tokenIds(tokens), typeIds: new Int32Array(tokens) };
      const reads =
        (trunk: Trunk): Candidate =>
        () =>
          trunk.runToResidual(text, () => adapters);
      const candidates = {
        native: reads(native),
        native2: reads(native2),
        web: reads(web),
        nodeKernels: reads(kernels),
      };
      return await sampleInRounds(candidates, sampling);
    },
  };
}
