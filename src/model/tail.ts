import { type ReadFile, readVerified } from "../bundle/files.ts";
import { type Manifest, withRole } from "../bundle/manifest.ts";
import { floatsFromBytes } from "../lib/floats.ts";
import { createPlaces, instantiateKernels } from "./kernel-memory.ts";
import type { MergedAdapters } from "./merge.ts";

/** The end of the encoder where only the last layer is personal: from a text's residual to its features. */
export interface Tail {
  /** Bytes of its WASM memory. */
  readonly bytes: number;

  /**
   * Returns the pooled features, `[d]`, of a residual `[T, d]` flat: `LN(r + relu(LN(LN(r) A)) B)` of each token, then
   * the mean of all tokens or the first one (docs/formats.md, "Tail"). The same bits alone and in any company.
   *
   * @param adapters of the last layer alone
   */
  run(residual: Float32Array, adapters: MergedAdapters): Float32Array<ArrayBuffer>;
}

/** The export of kernels/tail.as.ts, which explains the parameters. All but the epsilons are addresses or bytes. */
interface Kernels {
  addTail(
    token: number,
    tokensEnd: number,
    hidden: number,
    bottleneck: number,
    norm: number,
    epsilon: number,
    unit: number,
    unitEpsilon: number,
    down: number,
    up: number,
    scratch: number,
    pooled: number,
  ): void;
}

/** Tokens whose residuals are in the kernel's memory at a time. */
const TOKENS_A_CALL = 64;
/** Of the bottleneck's LayerNorm, in every bundle. */
export const BOTTLENECK_EPSILON = 1e-5;

/**
 * Returns a bundle's tail; null if it has none. Where more than the last layer is personal, a tail would need attention.
 *
 * @param kernels kernels.wasm, compiled: workerd compiles imports only
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function loadTail(manifest: Manifest, read: ReadFile, kernels: WebAssembly.Module): Promise<Tail | null> {
  const parts = await readTail(manifest, read);
  return parts && (await createTail(parts.spec, parts.norm, kernels));
}

/**
 * Reads what a bundle's tail is created from; null if it has none.
 *
 * @throws XpeftError `bundle_file_missing` or `bundle_file_corrupt`
 */
export async function readTail(manifest: Manifest, read: ReadFile): Promise<TailParts | null> {
  const [file] = withRole(manifest.files, "tail");
  if (!file || !manifest.tail) return null;
  const norm = floatsFromBytes(await readVerified(read, file));
  return { spec: { ...manifest, epsilon: manifest.tail.epsilon }, norm };
}

interface TailParts {
  readonly spec: TailSpec;
  /** Weight `[d]` and bias `[d]` of the layer's last LayerNorm. */
  readonly norm: Float32Array;
}

/** Sizes of a tail, its pooling, and the epsilon of its layer's last LayerNorm. d and b are multiples of 4. */
export type TailSpec = Pick<Manifest, "hidden" | "bottleneck" | "pooling"> & { readonly epsilon: number };

/**
 * Creates a tail.
 *
 * @param norm weight `[d]` and bias `[d]` of the layer's last LayerNorm
 * @throws XpeftError `bundle_unusable` if there is not enough memory
 */
export async function createTail(spec: TailSpec, norm: Float32Array, kernels: WebAssembly.Module): Promise<Tail> {
  const { hidden, bottleneck, pooling, epsilon } = spec;
  const { numbers, end } = createPlaces();
  const [atNorm, atUnit] = [numbers(2 * hidden), numbers(2 * bottleneck)];
  const [atDown, atUp] = [numbers(hidden * bottleneck), numbers(hidden * bottleneck)];
  const [atScratch, atPooled] = [numbers(hidden + bottleneck), numbers(hidden)];
  const atTokens = numbers(TOKENS_A_CALL * hidden);
  const { kernels: own, buffer, floats } = await instantiateKernels<Kernels>(kernels, end());
  floats(atNorm, 2 * hidden).set(norm);
  floats(atUnit, bottleneck).fill(1);
  const down = floats(atDown, hidden * bottleneck);
  const up = floats(atUp, hidden * bottleneck);
  const pooled = floats(atPooled, hidden);
  const tokens = floats(atTokens, TOKENS_A_CALL * hidden);

  return {
    bytes: buffer.byteLength,
    run(residual, adapters) {
      down.set(adapters.down);
      up.set(adapters.up);
      pooled.fill(0);
      const read = pooling === "cls" ? residual.subarray(0, hidden) : residual;
      for (let start = 0; start < read.length; start += tokens.length) {
        const part = read.subarray(start, start + tokens.length);
        tokens.set(part);
        const tokensEnd = atTokens + part.byteLength;
        const layout = [4 * hidden, 4 * bottleneck, atNorm, epsilon, atUnit, BOTTLENECK_EPSILON] as const;
        own.addTail(atTokens, tokensEnd, ...layout, atDown, atUp, atScratch, atPooled);
      }
      const count = read.length / hidden;
      return pooled.map((sum) => sum / count);
    },
  };
}
