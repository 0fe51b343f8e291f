import { beforeAll, describe, expect, it } from "vitest";
import { createTail, type Tail } from "../../../src/model/tail.ts";
import { compileKernels } from "../../support/default-bundle.ts";

const [HIDDEN, BOTTLENECK, EPSILON] = [12, 8, 1e-3];

let kernels: WebAssembly.Module;

beforeAll(async () => {
  kernels = await compileKernels();
});

/** Numbers that differ from each other and have both signs. */
const numbers = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, index) => Math.sin(1 + seed + 1.7 * index));

const norm = numbers(2 * HIDDEN, 1);
const adapters = { down: numbers(HIDDEN * BOTTLENECK, 2), up: numbers(BOTTLENECK * HIDDEN, 3) };

function layerNorm(values: number[], weight: ArrayLike<number>, bias: ArrayLike<number>, epsilon: number): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * (weight[i] ?? 1) + (bias[i] ?? 0));
}

/** The tail of docs/formats.md, number by number. */
function plainTail(residual: Float32Array): number[][] {
  const [weight, bias] = [norm.subarray(0, HIDDEN), norm.subarray(HIDDEN)];
  return Array.from({ length: residual.length / HIDDEN }, (_, token) => {
    const own = [...residual.subarray(token * HIDDEN, (token + 1) * HIDDEN)];
    const plain = layerNorm(own, weight, bias, EPSILON);
    const low = Array.from({ length: BOTTLENECK }, (_, column) =>
      plain.reduce((sum, value, i) => sum + value * (adapters.down[i * BOTTLENECK + column] ?? Number.NaN), 0),
    );
    const active = layerNorm(low, [], [], 1e-5).map((value) => Math.max(0, value));
    const sum = own.map((value, i) =>
      active.reduce((total, one, j) => total + one * (adapters.up[j * HIDDEN + i] ?? Number.NaN), value),
    );
    return layerNorm(sum, weight, bias, EPSILON);
  });
}

const tailOf = (pooling: "mean" | "cls"): Promise<Tail> =>
  createTail({ hidden: HIDDEN, bottleneck: BOTTLENECK, pooling, epsilon: EPSILON }, norm, kernels);

describe("a tail", () => {
  it.each([1, 2, 63, 64, 65, 200])("computes the features of %i tokens as docs/formats.md says", async (tokens) => {
    const residual = numbers(tokens * HIDDEN, 4);
    const outputs = plainTail(residual);
    const expected = Array.from({ length: HIDDEN }, (_, i) => {
      return outputs.reduce((sum, output) => sum + (output[i] ?? Number.NaN), 0) / tokens;
    });
    const features = (await tailOf("mean")).run(residual, adapters);
    for (const [i, value] of expected.entries()) expect(features[i]).toBeCloseTo(value, 4);
  });

  it("takes the first token if the bundle pools that one", async () => {
    const residual = numbers(70 * HIDDEN, 5);
    const features = (await tailOf("cls")).run(residual, adapters);
    for (const [i, value] of (plainTail(residual)[0] ?? []).entries()) expect(features[i]).toBeCloseTo(value, 4);
  });

  it("gives the same bits after other texts and adapters", async () => {
    const [tail, residual] = [await tailOf("mean"), numbers(65 * HIDDEN, 6)];
    const first = tail.run(residual, adapters);
    tail.run(numbers(3 * HIDDEN, 7), { down: adapters.up, up: adapters.down });
    expect(tail.run(residual, adapters)).toEqual(first);
  });

  it("passes on what is not a number", async () => {
    const residual = numbers(2 * HIDDEN, 8);
    residual[HIDDEN + 1] = Number.NaN;
    expect([...(await tailOf("mean")).run(residual, adapters)].some(Number.isFinite)).toBe(false);
  });
});
