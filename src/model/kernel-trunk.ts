import { type ReadFile, readVerified } from "../bundle/files.ts";
import { type Manifest, withRole } from "../bundle/manifest.ts";
import { XpeftError } from "../errors.ts";
import { createSerialQueue } from "../lib/serial-queue.ts";
import { instantiateKernels } from "./kernel-memory.ts";
import type { MergedAdapters } from "./merge.ts";
import { layOutWeights, type PackedSizes, type Product } from "./packed-layout.ts";
import { BOTTLENECK_EPSILON } from "./tail.ts";
import type { ReadText, Trunk } from "./trunk.ts";

/** The exports of kernels/encoder.as.ts, whose sources explain the parameters. */
type Kernels = Record<
  "adaptRows" | "addRow" | "attend" | "embed" | "gelu" | "multiply" | "normalizeRows" | "quantize",
  (...parameters: number[]) => void
> & { isFused(): number };

/** Rows of the feed-forward part at a time: what it widens stays in the processor's cache. */
const BLOCK = 32;
/** Queries of attention at a time, and keys. */
const [QUERIES, KEYS] = [4, 8];

/**
 * Loads a bundle's packed encoder for the kernels.
 *
 * @param kernels encoder.wasm, compiled
 * @returns null if the bundle has none
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function loadKernelTrunk(
  manifest: Manifest,
  read: ReadFile,
  kernels: WebAssembly.Module,
): Promise<Trunk | null> {
  if (!manifest.packed) return null;
  const parts: Uint8Array[] = [];
  for (const file of withRole(manifest.files, "packed")) parts.push(await readVerified(read, file));
  return await createKernelTrunk(kernels, { ...manifest, ...manifest.packed }, parts);
}

/**
 * Creates a trunk of a packed encoder. Texts take turns.
 *
 * @param module encoder.wasm, compiled: workerd compiles imports only
 * @param packed the parts of the packed encoder
 * @throws XpeftError `bundle_unusable` if their length does not fit the sizes, or there is not enough memory
 */
export async function createKernelTrunk(
  module: WebAssembly.Module,
  sizes: PackedSizes,
  packed: readonly Uint8Array[],
): Promise<Trunk> {
  const { layers, hidden, heads, intermediate, bottleneck, epsilon, positions: most } = sizes;
  const { places, blocks, ...weights } = layOutWeights(sizes);
  const length = packed.reduce((sum, part) => sum + part.length, 0);
  if (length !== places.end()) throw unusable(`The packed encoder has ${length} bytes, not ${places.end()}.`);
  const { numbers } = places;
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
  const { kernels, buffer, floats: floatsAt } = await instantiateKernels<Kernels>(module, places.end());
  const inTurn = createSerialQueue();
  let end = 0;
  for (const part of packed) {
    new Uint8Array(buffer).set(part, end);
    end += part.length;
  }
  floatsAt(unit, bottleneck).fill(1);
  const fused = kernels.isFused();

  function multiply(source: number, count: number, product: Product, target: number): void {
    const { inputs, outputs } = product;
    kernels.quantize(source, count, inputs, product.inverses, steps, scales, sums);
    const ofProduct = [product.weights, product.factors, product.biases] as const;
    kernels.multiply(steps, scales, sums, count, inputs, ...ofProduct, outputs, target, fused);
  }

  /** Replaces the rows by the output of their layer. */
  function endLayer(layer: number, norm: number, count: number, adapters: MergedAdapters): void {
    const length = hidden * bottleneck;
    floatsAt(down, length).set(adapters.down.subarray(layer * length, (layer + 1) * length));
    floatsAt(up, length).set(adapters.up.subarray(layer * length, (layer + 1) * length));
    const layout = [4 * bottleneck, norm, epsilon, unit, BOTTLENECK_EPSILON] as const;
    kernels.adaptRows(rows, count, rowBytes, ...layout, down, up, scratch);
  }

  function run({ ids: words, typeIds }: ReadText, adapters: MergedAdapters): Float32Array {
    const count = words.length;
    checkIds(words, typeIds, sizes);
    new Int32Array(buffer, ids, count).set(words);
    new Int32Array(buffer, types, count).set(typeIds);
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
      if (layer < layers - 1) endLayer(layer, block.norm, count, adapters);
    }
    return floatsAt(rows, count * hidden).slice();
  }

  return {
    engine: "kernels",
    bytes: buffer.byteLength,
    runToResidual: (text, adapters) => inTurn(async () => run(text, adapters())),
  };
}

/** Throws XpeftError `bundle_unusable` unless the packed encoder has a row for each word, type and position of a text. */
function checkIds(words: Int32Array, typeIds: Int32Array, sizes: PackedSizes): void {
  const within = (rows: number) => (id: number) => id >= 0 && id < rows;
  if (words.length <= sizes.positions && words.every(within(sizes.words)) && typeIds.every(within(sizes.types))) return;
  const known = `${sizes.words} words, ${sizes.types} types and ${sizes.positions} positions`;
  throw unusable(`A text is outside of the encoder's ${known}.`);
}

const unusable = (message: string) => new XpeftError("bundle_unusable", message, { reason: "files" });
