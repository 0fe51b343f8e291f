import { expect, it } from "vitest";
import { checkSummary } from "../../bench/scale/import.ts";
import { gapsOf } from "../../bench/scale/lookups.ts";
import { createMasks, idOf, linesOf, MASK_BYTES, TASK } from "../../bench/scale/profiles.ts";
import { unpackMasks } from "../../src/profiles/masks.ts";
import { DEFAULT_SHAPE } from "../support/rows.ts";

async function* chunks(...lengths: number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) yield new Uint8Array(length);
}

/** Returns a clock that shows these times, one after the other. */
function clock(...times: number[]): () => number {
  const queue = times.values();
  return () => queue.next().value ?? Number.NaN;
}

it("gives each profile its own id and masks that fit the bundle", () => {
  const masksOf = createMasks();
  const numbers = Array.from({ length: 3000 }, (_, number) => number);
  expect(new Set(numbers.map(idOf)).size).toBe(numbers.length);
  const all = numbers.flatMap((number) => [masksOf(number), masksOf(number, 1)]);
  for (const masks of all) unpackMasks(masks, DEFAULT_SHAPE);
  expect(new Set(all.map((masks) => Buffer.from(masks).toString("hex"))).size).toBe(all.length);
  expect(all[0]).toHaveLength(MASK_BYTES);
});

it("writes lines that an import accepts, from one number to below another", () => {
  const lines = linesOf(createMasks(), 5, 7).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { task: TASK, profile: idOf(5) },
    { task: TASK, profile: idOf(6) },
  ]);
});

it("accepts an import only if every profile was written", () => {
  const response = (summary: object) => `{"line":1}\n${JSON.stringify(summary)}\n`;
  expect(() => checkSummary(response({ done: true, created: 1, replaced: 2 }), 3)).not.toThrow();
  expect(() => checkSummary(response({ done: true, created: 1, replaced: 1 }), 3)).toThrow("Not all");
  expect(() => checkSummary(response({ created: 1, replaced: 2 }), 3)).toThrow("Not all");
});

it("measures the time between lines, also if some arrive together", async () => {
  expect(await gapsOf(chunks(1, 1, 2), 3, clock(10, 12, 15))).toEqual([2, 3, 0]);
  await expect(gapsOf(chunks(1, 1), 3, clock(0, 1))).rejects.toThrow("1 lines, not 3");
});
