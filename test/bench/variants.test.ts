import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  dataFile,
  prepareVariants,
  readVariants,
  TEXTS,
  type VariantFiles,
  VariantsMissing,
} from "../../bench/variants/files.ts";
import { figuresOf, tableOf } from "../../bench/variants/table.ts";

vi.mock(import("../support/python.ts"), async (original) => ({
  ...(await original()),
  missingPython: "needs a Python that is not there",
}));

const variant = (name: string, bytes: number) => ({
  name,
  about: `as ${name}`,
  graph: `${name}.onnx`,
  weights: [],
  bytes,
});
const variants = [variant("shipped", 24e6), variant("fp32", 55e6)];
const files: VariantFiles = { sources: {}, only: [], texts: TEXTS, variants, agreement: {} };
/** All variants, without agreement. */
const ALL = { only: [], data: null };
const hashOf = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const news = {
  data: hashOf("news"),
  texts: 800,
  accuracy: 0.7,
  same: { shipped: 0.99, fp32: 1 },
  accuracies: { shipped: 0.69, fp32: 0.7 },
};
const offense = { ...news, data: hashOf("offense"), texts: 200, same: { shipped: 0.94, fp32: 1 } };
const times = new Map([[32, { shipped: [1, 10, 1], fp32: [2, 20, 3] }]]);

describe("the table", () => {
  it("has ratios to the shipped graph, bytes, and a dash where nothing was measured", () => {
    expect(tableOf(files, times)).toEqual([
      expect.objectContaining({ variant: "shipped", "32 tokens": 1, MB: 24, "news: as fp32": "–", "news: right": "–" }),
      expect.objectContaining({ variant: "fp32", "32 tokens": 2, MB: 55, "offense: as fp32": "–" }),
    ]);
    expect(figuresOf(files, times)).toEqual({ variants_fp32_32: { value: 2, unit: "x" } });
  });

  it("has agreement for tasks with data, and the reference", () => {
    const rows = tableOf({ ...files, agreement: { news } }, times);
    expect(rows.map((row) => [row.variant, row["news: as fp32"], row["news: right"]])).toEqual([
      ["shipped", 0.99, 0.69],
      ["fp32", 1, 0.7],
      ["PyTorch", 1, 0.7],
    ]);
    expect(rows.map((row) => row["offense: as fp32"])).toEqual(["–", "–", "–"]);
  });

  it("counts each text once in the figure", () => {
    const { variants_fp32_agreement: found } = figuresOf({ ...files, agreement: { news, offense } }, times);
    expect(found?.value).toBeCloseTo(0.98, 10);
  });
});

describe("a folder of variants", () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "xpeft-variants-"));
    folder = join(root, "variants");
    await mkdir(folder);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const writeIndex = (index: unknown) => writeFile(join(folder, "variants.json"), JSON.stringify(index));

  it("is read while its source files are the same", async () => {
    expect(await readVariants(folder, ALL)).toBeNull();
    const hash = hashOf(await readFile("package.json"));
    await writeIndex({ ...files, sources: { "package.json": hash } });
    expect(await readVariants(folder, ALL)).toMatchObject({ variants: files.variants });
    expect(await prepareVariants(folder, ALL)).toMatchObject({ variants: files.variants });
    for (const [path, other] of [
      ["package.json", "0".repeat(64)],
      ["no-such-file", hash],
    ] as const) {
      await writeIndex({ ...files, sources: { [path]: other } });
      expect(await readVariants(folder, ALL), path).toBeNull();
    }
    await writeIndex({ ...files, variants: "none" });
    expect(await readVariants(folder, ALL)).toBeNull();
  });

  it("is outdated when there is data that its agreement was not measured on", async () => {
    await writeIndex({ ...files, agreement: { news } });
    const data = join(root, "data");
    const requested = { only: [], data };
    expect(await readVariants(folder, requested)).not.toBeNull();
    for (const task of ["news", "offense"]) {
      await mkdir(dirname(dataFile(data, task)), { recursive: true });
      await writeFile(dataFile(data, task), task);
    }
    expect(await readVariants(folder, requested)).toBeNull();
    await writeIndex({ ...files, agreement: { news, offense } });
    expect(await readVariants(folder, requested)).not.toBeNull();
    await writeFile(dataFile(data, "news"), "other texts");
    expect(await readVariants(folder, requested)).toBeNull();
    expect(await readVariants(folder, ALL)).not.toBeNull();
  });

  it("is outdated if it has other variants, or agreement on other texts", async () => {
    await writeIndex({ ...files, only: ["fp32"] });
    expect(await readVariants(folder, ALL)).toBeNull();
    expect(await readVariants(folder, { ...ALL, only: ["fp32"] })).not.toBeNull();
    expect(await readVariants(folder, { ...ALL, only: ["per-tensor", "fp32"] })).toBeNull();
    await writeIndex({ ...files, only: ["fp32", "per-tensor"] });
    expect(await readVariants(folder, { ...ALL, only: ["per-tensor", "fp32"] })).not.toBeNull();
    await writeIndex({ ...files, texts: TEXTS - 1 });
    expect(await readVariants(folder, { only: [], data: join(root, "data") })).toBeNull();
    expect(await readVariants(folder, ALL)).not.toBeNull();
  });

  it("cannot be written without Python; the error says what to run", async () => {
    const missing = prepareVariants(folder, ALL);
    await expect(missing).rejects.toThrow(VariantsMissing);
    await expect(missing).rejects.toMatchObject({
      name: "VariantsMissing",
      message: expect.stringContaining("needs a Python that is not there"),
      hint: expect.stringContaining("python -m bench.variants"),
    });
  });
});
