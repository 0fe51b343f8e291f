import type { ReadText } from "../../src/model/encoder.ts";
import type { MergedAdapters } from "../../src/model/merge.ts";
import { type EncoderSizes, layOutWeights, type Product } from "./layout.ts";

/** The encoder up to the last layer's residual, by kernels of its own in place of ONNX Runtime. */
export interface Trunk {
  /** Bytes of its WASM memory. */
  readonly bytes: number;
  /**
   * Returns a text's residual, `[T, d]` flat: what `Encoder.runToResidual` returns.
   *
   * @param adapters of all layers, of which the last is not read; null for the plain PLM
   * @throws RangeError if the text has more tokens than the encoder has positions
   */
  run(text: ReadText, adapters: MergedAdapters | null): Float32Array<ArrayBuffer>;
}

/** The exports of kernels/trunk.as.ts, whose sources explain the parameters. */
type Kernels = Record<
  "adaptRows" | "addRow" | "attend" | "embed" | "gelu" | "multiply" | "normalizeRows" | "quantize",
  (...parameters: number[]) => void
>;

const PAGE = 2 ** 16;
/** Of the bottleneck's LayerNorm, in every bundle. */
const UNIT_EPSILON = 1e-5;
/** Rows of the feed-forward part at a time: what it widens stays in the processor's cache. */
const BLOCK = 32;
/** Queries of attention at a time, and keys. */
const [QUERIES, KEYS] = [4, 8];

/**
 * Creates a trunk.
 *
 * @param module trunk.wasm, compiled
 * @param packed the packed encoder
 * @throws RangeError if its length does not fit the sizes
 */
export function createTrunk(module: WebAssembly.Module, sizes: EncoderSizes, packed: Uint8Array): Trunk {
  const { hidden, heads, intermediate, bottleneck, epsilon, positions: most } = sizes;
  const { places, blocks, ...weights } = layOutWeights(sizes);
  if (packed.length !== places.end())
    throw new RangeError(`The packed encoder has ${packed.length} bytes, not ${places.end()}.`);
  const numbers = (count: number) => places.take(4 * count);
  const rowBytes = 4 * hidden;
  const headSize = hidden / heads;
  const [ids, types] = [numbers(most), numbers(most)];
  const [rows, context] = [numbers(most * hidden), numbers(most * hidden)];
  const wide = numbers(Math.max(3 * most * hidden, BLOCK * intermediate));
  const steps = places.take(Math.max(most * hidden, BLOCK * intermediate));
  const [scales, sums] = [numbers(most), numbers(most)];
  const padded = most + KEYS;
  const ofHead = [numbers(headSize * padded), numbers(headSize * most), numbers(QUERIES * padded)] as const;
  const unit = numbers(2 * bottleneck);
  const [down, up] = [numbers(hidden * bottleneck), numbers(hidden * bottleneck)];
  const scratch = numbers(hidden + bottleneck);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(places.end() / PAGE) });
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Kernels;
  const floatsAt = (start: number, length: number) => new Float32Array(memory.buffer, start, length);
  new Uint8Array(memory.buffer).set(packed);
  floatsAt(unit, bottleneck).fill(1);

  function multiply(source: number, count: number, product: Product, target: number): void {
    const { inputs, outputs } = product;
    kernels.quantize(source, count, inputs, steps, scales, sums);
    const ofProduct = [product.weights, product.factors, product.biases] as const;
    kernels.multiply(steps, scales, sums, count, inputs, ...ofProduct, outputs, target);
  }

  /** Replaces the rows by the output of their layer. */
  function endLayer(layer: number, norm: number, count: number, adapters: MergedAdapters | null): void {
    if (!adapters) {
      kernels.normalizeRows(rows, count, rowBytes, norm, epsilon, rows);
      return;
    }
    const length = hidden * bottleneck;
    floatsAt(down, length).set(adapters.down.subarray(layer * length, (layer + 1) * length));
    floatsAt(up, length).set(adapters.up.subarray(layer * length, (layer + 1) * length));
    const layout = [4 * bottleneck, norm, epsilon, unit, UNIT_EPSILON] as const;
    kernels.adaptRows(rows, count, rowBytes, ...layout, down, up, scratch);
  }

  return {
    bytes: memory.buffer.byteLength,
    run(text, adapters) {
      const count = text.ids.length;
      if (count > most) throw new RangeError(`The text has ${count} tokens; the limit is ${most}.`);
      new Int32Array(memory.buffer, ids, count).set(text.ids);
      new Int32Array(memory.buffer, types, count).set(text.typeIds);
      const tables = [weights.words, weights.wordScales, weights.types, weights.positions, weights.norm] as const;
      kernels.embed(ids, types, count, hidden, ...tables, epsilon, rows);
      for (const [layer, block] of blocks.entries()) {
        multiply(rows, count, block.qkv, wide);
        kernels.attend(wide, count, heads, headSize, 1 / Math.sqrt(headSize), ...ofHead, context);
        // The queries, keys and values are not needed any more.
        multiply(context, count, block.attention, wide);
        kernels.addRow(wide, count * rowBytes, rows);
        kernels.normalizeRows(rows, count, rowBytes, block.attentionNorm, epsilon, context);
        for (let first = 0; first < count; first += BLOCK) {
          const some = Math.min(BLOCK, count - first);
          multiply(context + first * rowBytes, some, block.up, wide);
          kernels.gelu(wide, 4 * some * intermediate);
          multiply(wide, some, block.down, rows + first * rowBytes);
        }
        kernels.addRow(context, count * rowBytes, rows);
        if (layer < blocks.length - 1) endLayer(layer, block.norm, count, adapters);
      }
      return floatsAt(rows, count * hidden).slice();
    },
  };
}
