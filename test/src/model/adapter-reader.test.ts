import { expect, it } from "vitest";
import { createAdapterReader } from "../../../src/model/adapter-reader.ts";
import { errorWithCode } from "../../support/errors.ts";
import { packAdapter, packPooled } from "../../support/rows.ts";

const SIZES = { layers: 1, hidden: 3, bottleneck: 2, pool: { firstLayer: 0 } };
const bytes = packAdapter(
  Float32Array.of(0.5, 2),
  Int8Array.from({ length: 12 }, (_, index) => index - 6),
);

it("reads an adapter once for each array of bytes, and gives equal bytes one id", async () => {
  const read = createAdapterReader(SIZES);
  const adapter = await read(bytes);
  expect(adapter).toMatchObject({ scales: Float32Array.of(0.5, 2), id: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(await read(bytes)).toBe(adapter);
  const copy = await read(bytes.slice());
  expect(copy).not.toBe(adapter);
  expect(copy).toEqual(adapter);
  expect((await read(bytes.with(19, 1)))?.id).not.toBe(adapter?.id);
  expect(adapter?.pool).toBeNull();
});

it("returns the task's own pool, with the sizes of the bundle", async () => {
  const pool = { size: 2, chosen: 1, scales: Float32Array.of(0.5, 2, 1, 4), steps: new Int8Array(24).fill(3) };
  const adapter = await createAdapterReader(SIZES)(packPooled(bytes, pool));
  expect(adapter?.pool).toMatchObject({ ...SIZES, pool: { firstLayer: 0, size: 2, chosen: 1 }, bytes: 0 });
  const target = new Float32Array(6);
  adapter?.pool?.mergeMatrix(1, Uint16Array.of(1), target);
  expect(target).toEqual(new Float32Array(6).fill(12));
  expect(adapter?.scales).toEqual(Float32Array.of(0.5, 2));
});

it("returns null for a task without an adapter, and reports a damaged one each time", async () => {
  const read = createAdapterReader(SIZES);
  expect(await read(null)).toBeNull();
  const damaged = bytes.slice(1);
  for (let time = 0; time < 2; time++) await expect(read(damaged)).rejects.toThrow(errorWithCode("invalid_row"));
});
