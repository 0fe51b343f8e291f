import { type ReadFile, readVerified } from "../bundle/files.ts";
import { type Manifest, withRole } from "../bundle/manifest.ts";
import { floatsFromBytes } from "../lib/floats.ts";
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

const PAGE = 2 ** 16;
/** Tokens whose residuals are in the kernel's memory at a time. */
const TOKENS_A_CALL = 64;
/** Of the bottleneck's LayerNorm, in every bundle. */
const BOTTLENECK_EPSILON = 1e-5;

/**
 * Returns a bundle's tail; null if it has none. Where more than the last layer is personal, a tail would need attention.
 *
 * @param kernels kernels.wasm, compiled: workerd compiles imports only
 * @throws XpeftError `bundle_file_missing` or `bundle_file_corrupt`
 */
export async function loadTail(manifest: Manifest, read: ReadFile, kernels: WebAssembly.Module): Promise<Tail | null> {
  const [file] = withRole(manifest.files, "tail");
  if (!file || !manifest.tail) return null;
  const bytes = await readVerified(read, file);
  return createTail({ ...manifest, epsilon: manifest.tail.epsilon }, floatsFromBytes(bytes), kernels);
}

/** Sizes of a tail, its pooling, and the epsilon of its layer's last LayerNorm. d and b are multiples of 4. */
type TailSpec = Pick<Manifest, "hidden" | "bottleneck" | "pooling"> & { readonly epsilon: number };

/** Creates a tail. @param norm weight `[d]` and bias `[d]` of the layer's last LayerNorm */
export function createTail(spec: TailSpec, norm: Float32Array, kernels: WebAssembly.Module): Tail {
  const { hidden, bottleneck, pooling, epsilon } = spec;
  let end = 0;
  const place = (numbers: number) => {
    const start = end;
    end += 4 * numbers;
    return start;
  };
  const [atNorm, atUnit] = [place(2 * hidden), place(2 * bottleneck)];
  const [atDown, atUp] = [place(hidden * bottleneck), place(hidden * bottleneck)];
  const [atScratch, atPooled, atTokens] = [place(hidden + bottleneck), place(hidden), place(TOKENS_A_CALL * hidden)];
  const memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) });
  const { addTail } = new WebAssembly.Instance(kernels, { env: { memory } }).exports as unknown as Kernels;
  const numbersAt = (start: number, length: number) => new Float32Array(memory.buffer, start, length);
  numbersAt(atNorm, 2 * hidden).set(norm);
  numbersAt(atUnit, bottleneck).fill(1);
  const down = numbersAt(atDown, hidden * bottleneck);
  const up = numbersAt(atUp, hidden * bottleneck);
  const pooled = numbersAt(atPooled, hidden);
  const tokens = numbersAt(atTokens, TOKENS_A_CALL * hidden);

  return {
    bytes: memory.buffer.byteLength,
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
        addTail(atTokens, tokensEnd, ...layout, atDown, atUp, atScratch, atPooled);
      }
      const count = read.length / hidden;
      return pooled.map((sum) => sum / count);
    },
  };
}
