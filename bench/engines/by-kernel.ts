import { compileEncoderKernels } from "../../node/engine.ts";
import { readBundle, readFolder } from "../../node/files.ts";
import { loadKernelTrunk } from "../../src/model/kernel-trunk.ts";
import type { Trunk } from "../../src/model/trunk.ts";
import { BUNDLE } from "../graphs.ts";
import { tokenIds } from "../worker/feeds.ts";
import { someAdapters } from "./adapters.ts";

/** Milliseconds of each kernel, by its name. */
type KernelTimes = Readonly<Record<string, number>>;

/** The encoder by the kernels, each of which is timed. */
export interface TimedTrunk {
  /** Reads a text of so many tokens. @returns milliseconds of each kernel, all blocks together, and of the whole */
  time(tokens: number): Promise<{ kernels: KernelTimes; whole: number }>;
}

/** Opens the default bundle's encoder in this process. */
export async function openTimedTrunk(): Promise<TimedTrunk> {
  const { manifest } = await readBundle(BUNDLE);
  let times: Record<string, number> = {};
  const { Instance } = WebAssembly;
  /** An instance whose functions add their time to `times`. */
  class TimedInstance {
    readonly exports: Record<string, unknown>;

    constructor(...parameters: ConstructorParameters<typeof Instance>) {
      this.exports = Object.fromEntries(
        Object.entries(new Instance(...parameters).exports).map(([name, value]) => [
          name,
          typeof value === "function" ? timed(name, value as (...values: number[]) => number) : value,
        ]),
      );
    }
  }
  const timed =
    (name: string, kernel: (...values: number[]) => number) =>
    (...values: number[]) => {
      const start = performance.now();
      const result = kernel(...values);
      times[name] = (times[name] ?? 0) + performance.now() - start;
      return result;
    };
  const compiled = await compileEncoderKernels();
  let trunk: Trunk | null = null;
  WebAssembly.Instance = TimedInstance as unknown as typeof Instance;
  try {
    trunk = compiled && (await loadKernelTrunk(manifest, readFolder(BUNDLE), compiled));
  } finally {
    WebAssembly.Instance = Instance;
  }
  if (!trunk) throw new Error("This Node or the bundle has no kernels of the encoder.");
  const opened = trunk;
  const adapters = someAdapters(manifest);
  return {
    async time(tokens) {
      const text = { ids: tokenIds(tokens), typeIds: new Int32Array(tokens) };
      times = {};
      const start = performance.now();
      await opened.runToResidual(text, () => adapters);
      return { kernels: times, whole: performance.now() - start };
    },
  };
}
