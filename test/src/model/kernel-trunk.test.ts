import { beforeAll, describe, expect, it } from "vitest";
import { someAdapters } from "../../../bench/engines/adapters.ts";
import { readManifest } from "../../../src/bundle/files.ts";
import { withRole } from "../../../src/bundle/manifest.ts";
import { createKernelTrunk } from "../../../src/model/kernel-trunk.ts";
import { layOutWeights, type PackedSizes } from "../../../src/model/packed-layout.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };
import { compileModules, readBundleFile } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";

let sizes: PackedSizes;
let packed: Uint8Array;
let kernels: WebAssembly.Module;

beforeAll(async () => {
  const { manifest } = await readManifest(readBundleFile);
  const { encoderKernels } = await compileModules();
  const [file] = withRole(manifest.files, "packed");
  if (!manifest.packed || !encoderKernels || !file) throw new Error("the default bundle has no packed encoder");
  sizes = { ...manifest, ...manifest.packed };
  packed = (await readBundleFile(file.path)) ?? new Uint8Array();
  kernels = encoderKernels;
});

/** Creates a trunk that ends with the residual of a block: a shorter encoder begins as the whole one does. */
function trunkTo(layers: number) {
  const shorter = { ...sizes, layers };
  return createKernelTrunk(kernels, shorter, [packed.subarray(0, layOutWeights(shorter).places.end())]);
}

const read = (ids: readonly number[], typeIds: readonly number[]) => ({
  ids: Int32Array.from(ids),
  typeIds: Int32Array.from(typeIds),
});

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

describe("the kernels' trunk", () => {
  // A number that rounding moves to the next step of a quantization moves those after it; a short text may have none.
  it.each([1, 2, 3, 4, 5, 6])("has the companion's residuals after block %i", async (layers) => {
    const trunk = await trunkTo(layers);
    const adapters = someAdapters(sizes);
    const differences: number[] = [];
    for (const { ids, residuals } of golden.packed) {
      const text = read(
        ids,
        ids.map((_, i) => i % 2),
      );
      const residual = await trunk.runToResidual(text, () => adapters);
      const [first = [], last = []] = residuals[layers - 1] ?? [];
      const found = [
        ...residual.subarray(0, first.length),
        ...residual.subarray(-sizes.hidden).subarray(0, last.length),
      ];
      const expected = [...first, ...last];
      expect(cosine(expected, found)).toBeGreaterThan(0.97);
      differences.push(Math.max(...expected.map((value, i) => Math.abs(value - (found[i] ?? Number.NaN)))));
    }
    expect(differences.sort((a, b) => a - b)[Math.floor(differences.length / 4)]).toBeLessThan(1e-4);
  });

  it("reads texts that come at once one after the other, with the bits of each alone", async () => {
    const trunk = await trunkTo(6);
    const adapters = someAdapters(sizes);
    const texts = [1, 5, 512, 9].map((length) =>
      read(
        Array.from({ length }, (_, i) => 7 * i),
        Array(length).fill(0),
      ),
    );
    const alone = [];
    for (const text of texts) alone.push(await (await trunkTo(6)).runToResidual(text, () => adapters));
    expect(await Promise.all(texts.map((text) => trunk.runToResidual(text, () => adapters)))).toEqual(alone);
  });

  it("passes on an error of its adapters, and reads the next text", async () => {
    const trunk = await trunkTo(1);
    const [text, adapters] = [read([1], [0]), someAdapters(sizes)];
    const failing = trunk.runToResidual(text, () => {
      throw new RangeError("no adapters");
    });
    await expect(failing).rejects.toThrow("no adapters");
    expect(await trunk.runToResidual(text, () => adapters)).toHaveLength(sizes.hidden);
  });

  it("hides no number that is not finite", async () => {
    const adapters = someAdapters(sizes);
    adapters.down[0] = Number.NaN;
    adapters.up[5] = Number.POSITIVE_INFINITY;
    const residual = await (await trunkTo(2)).runToResidual(read([5, 6], [0, 0]), () => adapters);
    expect(residual.some(Number.isFinite)).toBe(false);
  });

  it.each([
    ["a word", [30_522], [0]],
    ["a negative word", [-1], [0]],
    ["a type", [1], [2]],
    ["a position", Array(513).fill(1), Array(513).fill(0)],
  ])("refuses %s that the encoder does not have", async (_, ids, typeIds) => {
    const reading = (await trunkTo(1)).runToResidual(read(ids, typeIds), () => someAdapters(sizes));
    await expect(reading).rejects.toThrow(errorWithCode("bundle_unusable"));
  });

  it("refuses a packed encoder of another length", async () => {
    const cut = createKernelTrunk(kernels, sizes, [packed.subarray(16)]);
    await expect(cut).rejects.toThrow(errorWithCode("bundle_unusable"));
  });

  it("takes a packed encoder in parts", async () => {
    const parts = [packed.subarray(0, 1001), packed.subarray(1001)];
    const [text, adapters] = [read([101, 2023, 102], [0, 0, 0]), someAdapters(sizes)];
    const whole = await (await trunkTo(6)).runToResidual(text, () => adapters);
    const inParts = await createKernelTrunk(kernels, sizes, parts);
    expect(await inParts.runToResidual(text, () => adapters)).toEqual(whole);
  });
});
