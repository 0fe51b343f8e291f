import type { MergedAdapters } from "../../../src/model/merge.ts";
import type { PackedSizes } from "../../../src/model/packed-layout.ts";
import { BOTTLENECK_EPSILON } from "../../../src/model/tail.ts";
import { attend } from "./attention.ts";
import type { Drawn } from "./draws.ts";
import { type Embeddings, embed } from "./embed.ts";
import { add, at } from "./float32.ts";
import { gelu } from "./functions.ts";
import { multiply, quantize } from "./products.ts";
import { mapRows, normalize } from "./rows.ts";
import { adapt } from "./tail.ts";

/** A product's weights, from -63 to 63, `[inputs, outputs]`, and what its inputs and outputs are multiplied by. */
export interface Linear {
  readonly weights: Int32Array;
  readonly factors: Float32Array;
  readonly biases: Float32Array;
  readonly inverses: Float32Array;
}

interface Layer {
  readonly qkv: Linear;
  readonly attention: Linear;
  readonly attentionNorm: Float32Array;
  readonly up: Linear;
  readonly down: Linear;
  readonly norm: Float32Array;
}

/** The weights of an encoder. */
export interface Encoder {
  readonly embeddings: Embeddings;
  readonly layers: readonly Layer[];
}

/** Returns the weights of an encoder of these sizes. */
export function drawEncoder(sizes: PackedSizes, { floats, integers }: Drawn): Encoder {
  const { hidden, intermediate, words, types, positions } = sizes;
  const linear = (inputs: number, outputs: number) => ({
    weights: integers(inputs * outputs, -63, 63),
    factors: floats(outputs).map((factor) => factor / 64),
    biases: floats(outputs),
    inverses: floats(inputs),
  });
  return {
    embeddings: {
      words: Int8Array.from(integers(words * hidden, -127, 127)),
      scales: floats(words),
      types: floats(types * hidden),
      positions: floats(positions * hidden),
      norm: floats(2 * hidden),
    },
    layers: Array.from({ length: sizes.layers }, () => ({
      qkv: linear(hidden, 3 * hidden),
      attention: linear(hidden, hidden),
      attentionNorm: floats(2 * hidden),
      up: linear(hidden, intermediate),
      down: linear(intermediate, hidden),
      norm: floats(2 * hidden),
    })),
  };
}

/** Returns a text's residual, `[tokens, d]`, as the kernels compute it. */
export function runToResidual(
  { hidden, heads, bottleneck, epsilon }: PackedSizes,
  { embeddings, layers }: Encoder,
  text: { readonly ids: Int32Array; readonly typeIds: Int32Array },
  adapters: MergedAdapters,
): Float32Array {
  const size = hidden / heads;
  let rows = embed(text.ids, text.typeIds, embeddings, epsilon);
  for (const [index, layer] of layers.entries()) {
    const context = attend(project(rows, layer.qkv), heads, size, 1 / Math.sqrt(size));
    const attended = sum(rows, project(context, layer.attention));
    const entering = mapRows(attended, hidden, (row) => normalize(row, layer.attentionNorm, epsilon));
    rows = sum(project(project(entering, layer.up).map(gelu), layer.down), entering);
    if (index === layers.length - 1) break;
    const [start, end] = [index * hidden * bottleneck, (index + 1) * hidden * bottleneck];
    const matrices = { down: adapters.down.subarray(start, end), up: adapters.up.subarray(start, end) };
    const ending = { norm: layer.norm, epsilon, unitEpsilon: BOTTLENECK_EPSILON, ...matrices };
    rows = mapRows(rows, hidden, (row) => adapt(row, ending));
  }
  return rows;
}

const project = (rows: Float32Array, { weights, factors, biases, inverses }: Linear) =>
  multiply(quantize(rows, inverses), weights, factors, biases);

const sum = (a: Float32Array, b: Float32Array) => a.map((value, index) => add(value, at(b, index)));
