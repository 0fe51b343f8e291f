import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { figuresOf, linesOf } from "../../bench/shapes/lines.ts";
import {
  dataFile,
  readWritten,
  ShapesMissing,
  TEXTS,
  type Written,
  writtenShapes,
} from "../../bench/shapes/written.ts";

vi.mock(import("../support/python.ts"), async (original) => ({
  ...(await original()),
  withoutPython: "needs a Python that is not there",
}));

const shape = (name: string, bytes: number) => ({
  name,
  about: `as ${name}`,
  graph: `${name}.onnx`,
  weights: [],
  bytes,
});
const shapes = [shape("shipped", 24e6), shape("fp32", 55e6)];
const written: Written = { sources: {}, only: [], texts: TEXTS, shapes, agreement: {} };
/** All shapes, without agreement. */
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
  it("has times over the shipped graph's, bytes, and a dash for what was not measured", () => {
    expect(linesOf(written, times)).toEqual([
      expect.objectContaining({ shape: "shipped", "32 tokens": 1, MB: 24, "news: as fp32": "–", "news: right": "–" }),
      expect.objectContaining({ shape: "fp32", "32 tokens": 2, MB: 55, "offense: as fp32": "–" }),
    ]);
    expect(figuresOf(written, times)).toEqual({ shapes_fp32_32: { value: 2, unit: "x" } });
  });

  it("has agreement for the tasks whose data was there, and what it is with", () => {
    const lines = linesOf({ ...written, agreement: { news } }, times);
    expect(lines.map((line) => [line.shape, line["news: as fp32"], line["news: right"]])).toEqual([
      ["shipped", 0.99, 0.69],
      ["fp32", 1, 0.7],
      ["PyTorch", 1, 0.7],
    ]);
    expect(lines.map((line) => line["offense: as fp32"])).toEqual(["–", "–", "–"]);
  });

  it("counts each text once in the figure", () => {
    const { shapes_fp32_agreement: found } = figuresOf({ ...written, agreement: { news, offense } }, times);
    expect(found?.value).toBeCloseTo(0.98, 10);
  });
});

describe("a folder of shapes", () => {
  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "xpeft-shapes-"));
    folder = join(root, "shapes");
    await mkdir(folder);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const keep = (index: unknown) => writeFile(join(folder, "shapes.json"), JSON.stringify(index));

  it("is read while the files that it was made from are the same", async () => {
    expect(await readWritten(folder, ALL)).toBeNull();
    const hash = hashOf(await readFile("package.json"));
    await keep({ ...written, sources: { "package.json": hash } });
    expect(await readWritten(folder, ALL)).toMatchObject({ shapes: written.shapes });
    expect(await writtenShapes(folder, ALL)).toMatchObject({ shapes: written.shapes });
    for (const [path, other] of [
      ["package.json", "0".repeat(64)],
      ["no-such-file", hash],
    ] as const) {
      await keep({ ...written, sources: { [path]: other } });
      expect(await readWritten(folder, ALL), path).toBeNull();
    }
    await keep({ ...written, shapes: "none" });
    expect(await readWritten(folder, ALL)).toBeNull();
  });

  it("is not enough once there is data that its agreement was not measured on", async () => {
    await keep({ ...written, agreement: { news } });
    const data = join(root, "data");
    const wanted = { only: [], data };
    expect(await readWritten(folder, wanted)).not.toBeNull();
    for (const task of ["news", "offense"]) {
      await mkdir(dirname(dataFile(data, task)), { recursive: true });
      await writeFile(dataFile(data, task), task);
    }
    expect(await readWritten(folder, wanted)).toBeNull();
    await keep({ ...written, agreement: { news, offense } });
    expect(await readWritten(folder, wanted)).not.toBeNull();
    await writeFile(dataFile(data, "news"), "other texts");
    expect(await readWritten(folder, wanted)).toBeNull();
    expect(await readWritten(folder, ALL)).not.toBeNull();
  });

  it("is not enough if other shapes, or agreement on other texts, were asked of it by hand", async () => {
    await keep({ ...written, only: ["fp32"] });
    expect(await readWritten(folder, ALL)).toBeNull();
    expect(await readWritten(folder, { ...ALL, only: ["fp32"] })).not.toBeNull();
    expect(await readWritten(folder, { ...ALL, only: ["per-tensor", "fp32"] })).toBeNull();
    await keep({ ...written, only: ["fp32", "per-tensor"] });
    expect(await readWritten(folder, { ...ALL, only: ["per-tensor", "fp32"] })).not.toBeNull();
    await keep({ ...written, texts: TEXTS - 1 });
    expect(await readWritten(folder, { only: [], data: join(root, "data") })).toBeNull();
    expect(await readWritten(folder, ALL)).not.toBeNull();
  });

  it("cannot be written without Python, and the error says what to run", async () => {
    const missing = writtenShapes(folder, ALL);
    await expect(missing).rejects.toThrow(ShapesMissing);
    await expect(missing).rejects.toMatchObject({
      name: "ShapesMissing",
      message: expect.stringContaining("needs a Python that is not there"),
      hint: expect.stringContaining("python -m bench.shapes"),
    });
  });
});
