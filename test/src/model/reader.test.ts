import { beforeAll, describe, expect, it } from "vitest";
import { readManifest, readVerified } from "../../../src/bundle/files.ts";
import { type Manifest, oneWithRole } from "../../../src/bundle/manifest.ts";
import { createEncoder, type Encoder } from "../../../src/model/encoder.ts";
import { type MergedAdapters, mergeAdapters } from "../../../src/model/merge.ts";
import { loadPool } from "../../../src/model/pool/load.ts";
import type { AdapterPool } from "../../../src/model/pool/pool.ts";
import { createReader } from "../../../src/model/reader.ts";
import { loadTail, type Tail } from "../../../src/model/tail.ts";
import { createTokenizer, type TokenizedText } from "../../../src/text/tokenizer.ts";
import { compileKernels, readBundleFile } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { RUNTIMES } from "../../support/onnx-runtimes.ts";
import { masksOf } from "../../support/rows.ts";

const NO_MASKS = new Uint8Array();
const MIB = 2 ** 20;

describe.each(RUNTIMES)("a reader over ONNX Runtime, $name", (onnx) => {
  let manifest: Manifest;
  let encoder: Encoder;
  let pool: AdapterPool;
  let tail: Tail | null;
  let texts: TokenizedText[];
  /** Runs of the encoder so far. */
  let runs = 0;

  beforeAll(async () => {
    ({ manifest } = await readManifest(readBundleFile));
    const kernels = await compileKernels();
    const real = await createEncoder(onnx, manifest, readBundleFile);
    /** Counts a run when its turn has come. */
    const counted = (adapters: () => MergedAdapters) => () => {
      const merged = adapters();
      runs++;
      return merged;
    };
    encoder = {
      ...real,
      run: (text, adapters) => real.run(text, counted(adapters)),
      runToResidual: (text, adapters) => real.runToResidual(text, counted(adapters)),
      runToBoth: (text, adapters) => real.runToBoth(text, counted(adapters)),
    };
    pool = await loadPool(manifest, readBundleFile, kernels);
    tail = await loadTail(manifest, readBundleFile, kernels);
    const tokenizer = createTokenizer(await readVerified(readBundleFile, oneWithRole(manifest.files, "tokenizer")));
    texts = ["A first text.", "Another one, which is longer."].map((text) => tokenizer.encode({ text }, 64));
  });

  const readerOf = (part: Tail | null, trunkBytes = MIB) =>
    createReader({
      parts: part ? { trunk: encoder, tail: part } : { encoder, tail: null },
      pool,
      mergedBytes: MIB,
      trunkBytes,
    });
  const under = (masks: Uint8Array) => ({ masks, taskAdapter: null });
  const textOf = (number: number) => texts[number] as TokenizedText;

  it("has the features of the whole encoder, up to the last digit of float32", async () => {
    const [whole, shared] = [readerOf(null), readerOf(tail)];
    expect([whole.sharesTrunk, shared.sharesTrunk]).toEqual([false, true]);
    for (const masks of [NO_MASKS, masksOf(1), masksOf(2)]) {
      const expected = await encoder.run(textOf(1), () => mergeAdapters(pool, masks, null));
      expect(await whole.features(textOf(1), under(masks))).toEqual(expected);
      const features = await shared.features(textOf(1), under(masks));
      for (const [i, value] of features.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5);
    }
  });

  it("reads a text once for all profiles, with the same bits as alone", async () => {
    const reader = readerOf(tail);
    const alone = await readerOf(tail).features(textOf(0), under(masksOf(5)));
    runs = 0;
    for (const seed of [3, 4]) await reader.features(textOf(0), under(masksOf(seed)));
    await reader.features(textOf(1), under(masksOf(3)));
    expect(await reader.features(textOf(0), under(masksOf(5)))).toEqual(alone);
    expect(runs).toBe(2);
  });

  it("counts one lookup of each cache for each prediction", async () => {
    const reader = readerOf(tail);
    for (const seed of [3, 4, 3]) await reader.features(textOf(0), under(masksOf(seed)));
    await reader.features(textOf(1), under(masksOf(3)));
    expect(reader.caches()).toMatchObject({ merged: { hits: 2, misses: 2 }, trunks: { hits: 2, misses: 2 } });
    const whole = readerOf(null);
    for (const seed of [3, 4, 3]) await whole.features(textOf(0), under(masksOf(seed)));
    expect(whole.caches()).toMatchObject({ merged: { hits: 1, misses: 2 }, trunks: { hits: 0, misses: 0 } });
  });

  it("holds a text that other texts push out of the cache, with the same bits, and caches no profile of it", async () => {
    const reader = readerOf(tail, 4 * manifest.hidden * textOf(1).ids.length);
    const alone = await readerOf(tail).features(textOf(0), under(masksOf(5)));
    const unmasked = await readerOf(tail).features(textOf(0), under(NO_MASKS));
    runs = 0;
    const held = await reader.hold(textOf(0), null);
    const { merged } = reader.caches();
    await reader.features(textOf(1), under(NO_MASKS));
    for (const seed of [3, 5, 4]) held.features(masksOf(seed));
    expect([held.features(masksOf(5)), held.features(NO_MASKS)]).toEqual([alone, unmasked]);
    expect(held.features(NO_MASKS)).toBe(held.features(NO_MASKS));
    expect(reader.caches().merged).toMatchObject({ profiles: merged.profiles, misses: merged.misses });
    expect(() => held.features(new Uint8Array(3))).toThrow(errorWithCode("invalid_mask"));
    held.release();
    // Of what was held, the cache has its own copy; here the other text has taken its place.
    expect(await reader.features(textOf(0), under(masksOf(5)))).toEqual(alone);
    expect(runs).toBe(3);
    await expect(readerOf(null).hold(textOf(0), null)).rejects.toThrow(RangeError);
  });

  it("reads a text to learn from beside the cache, and has its features under any masks", async () => {
    const reader = readerOf(tail);
    const alone = await readerOf(tail).features(textOf(0), under(masksOf(5)));
    runs = 0;
    const { residual, features } = await reader.readToLearn(textOf(0), under(masksOf(5)));
    expect(features).toEqual(alone);
    expect(await reader.featuresFrom(residual, textOf(0), under(masksOf(5)))).toEqual(alone);
    expect([runs, reader.caches().trunks.texts]).toEqual([1, 0]);
    const whole = readerOf(null);
    const both = await whole.readToLearn(textOf(0), under(masksOf(5)));
    expect(both.residual).toEqual(residual);
    expect(both.features).toEqual(await whole.features(textOf(0), under(masksOf(5))));
  });

  it("rejects masks that do not fit before it reads the text", async () => {
    runs = 0;
    const damaged = readerOf(tail).features(textOf(0), under(new Uint8Array(3)));
    await expect(damaged).rejects.toThrow(errorWithCode("invalid_mask"));
    expect(runs).toBe(0);
  });

  it("tells apart the texts of a pair, and the tasks' adapters", async () => {
    const reader = readerOf(tail);
    const { ids } = textOf(0);
    const typeIds = textOf(0).typeIds.map((_, index) => Number(index > 3)) as typeof ids;
    const adapter = {
      id: "one",
      pool: null,
      scales: new Float32Array(2 * manifest.layers).fill(0.01),
      steps: new Int8Array(2 * manifest.layers * manifest.hidden * manifest.bottleneck).map((_, i) => (i % 7) - 3),
    };
    runs = 0;
    const plain = await reader.features(textOf(0), under(NO_MASKS));
    expect(await reader.features({ ids, typeIds }, under(NO_MASKS))).not.toEqual(plain);
    expect(await reader.features(textOf(0), { masks: NO_MASKS, taskAdapter: adapter })).not.toEqual(plain);
    expect(runs).toBe(3);
  });

  it("forgets the text that was not read for the longest time when its cache is full", async () => {
    const bytes = 4 * manifest.hidden * textOf(1).ids.length;
    const reader = readerOf(tail, bytes);
    await reader.features(textOf(0), under(NO_MASKS));
    await reader.features(textOf(1), under(NO_MASKS));
    expect(reader.caches().trunks).toMatchObject({ texts: 1, bytes, maxBytes: bytes });
    runs = 0;
    await reader.features(textOf(0), under(NO_MASKS));
    expect(runs).toBe(1);
  });

  it.each([0, 100])("reads a text that is larger than its cache of %i bytes", async (bytes) => {
    const reader = readerOf(tail, bytes);
    const expected = await readerOf(tail).features(textOf(0), under(masksOf(1)));
    expect(await reader.features(textOf(0), under(masksOf(1)))).toEqual(expected);
    expect(reader.caches().trunks).toMatchObject({ texts: 0, bytes: 0, maxBytes: bytes });
  });

  it("reads a text at most twice for calls that wait for it at once, with the same bits", async () => {
    const reader = readerOf(tail);
    const expected = await readerOf(tail).features(textOf(0), under(masksOf(1)));
    const read = runs;
    const all = await Promise.all([1, 1, 1, 1, 1].map((seed) => reader.features(textOf(0), under(masksOf(seed)))));
    expect(all).toEqual(Array(5).fill(expected));
    // The second turn begins before the first result is cached.
    expect(runs - read).toBeLessThanOrEqual(2);
  });

  it("says which of its work is waiting, merging and reading", async () => {
    for (const part of [tail, null]) {
      const laps: string[] = [];
      const note = {
        waited: () => laps.push("waited"),
        merged: () => laps.push("merged"),
        read: () => laps.push("read"),
      };
      await readerOf(part).features(textOf(0), under(masksOf(1)), note as never);
      expect(laps).toEqual(
        part ? ["merged", "waited", "merged", "read", "merged", "read"] : ["waited", "merged", "read"],
      );
    }
  });
});
