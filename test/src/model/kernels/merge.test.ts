import fc from "fast-check";
import { it } from "vitest";
import { type Arena, runGuarded } from "../../../support/kernels/arena.ts";
import { createDrawn, draws, RUNS } from "../../../support/kernels/draws.ts";
import { addSigns, addSteps } from "../../../support/kernels/merge.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";

const counts = fc.oneof(
  { weight: 50, arbitrary: fc.integer({ min: 1, max: 20 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 512 }) },
);
const entryCounts = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 400 }) },
);
const cases = fc.record({ matrices: counts, entries: entryCounts, draw: draws });

/** Returns entries in a buffer of whole blocks: a kernel may write past the last entry up to there. */
function inBlocks({ inPlace }: Arena, entries: Float32Array, block: number): number {
  const whole = new Float32Array(block * Math.ceil(entries.length / block));
  whole.set(entries);
  return inPlace(whole);
}

it("adds signs with the bits of the reference", () => {
  fc.assert(
    fc.property(cases, fc.float(), fc.boolean(), ({ matrices, entries, draw }, share, areOnes) => {
      const drawn = createDrawn(draw);
      const signs = Array.from({ length: matrices }, () => drawn.integers(entries, areOnes ? 1 : 0, 1));
      const start = drawn.floats(entries);
      const [found] = runGuarded((arena) => {
        const { kernels, input, allocate, floats } = arena;
        const addresses = signs.map((matrix) => input(packSigns(matrix)));
        const padding = Array(-matrices & 3).fill(input(packSigns(new Int32Array(entries))));
        const list = input(Uint32Array.from([...addresses, ...padding]));
        const bytes = 16 * Math.max(2, 32 - Math.clz32(matrices));
        const planes = allocate(bytes);
        const target = inBlocks(arena, start, 128);
        const listEnd = list + 4 * (matrices + padding.length);
        kernels.addSigns(list, listEnd, matrices, planes, planes + bytes, share, target, entries);
        return [floats(target, entries)] as const;
      });
      expectSameBits(found, addSigns(start, signs, share));
    }),
    RUNS,
  );
});

/** Returns a bit for each sign, the first of a byte lowest. */
function packSigns(signs: Int32Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(signs.length / 8));
  for (const [entry, sign] of signs.entries()) bytes[entry >> 3] = (bytes[entry >> 3] ?? 0) | (sign << (entry & 7));
  return bytes;
}

it("adds steps with the bits of the reference", () => {
  fc.assert(
    fc.property(
      cases,
      fc.float(),
      fc.float(),
      fc.boolean(),
      ({ matrices, entries, draw }, upper, lower, isGreatest) => {
        const drawn = createDrawn(draw);
        const [leastStep, leastHalf] = isGreatest ? [127, 2 ** 15 - 1] : [-128, 0];
        const chosen = Array.from({ length: matrices }, () => {
          const [first = 0, second = 0] = drawn.integers(2, leastHalf, 2 ** 15 - 1);
          return { steps: Int8Array.from(drawn.integers(entries, leastStep, 127)), upper: first, lower: second };
        });
        const start = drawn.floats(entries);
        const [found] = runGuarded((arena) => {
          const { kernels, input, floats } = arena;
          const words = chosen.map((matrix) => ({ ...matrix, address: input(matrix.steps) }));
          const pairs = Array.from({ length: Math.ceil(matrices / 2) }, (_, pair) => {
            const [a, b] = [words[2 * pair], words[2 * pair + 1]];
            const second = b ?? { upper: 0, lower: 0, address: a?.address ?? Number.NaN };
            return [
              a?.address ?? Number.NaN,
              second.address,
              (a?.upper ?? Number.NaN) | (second.upper << 16),
              (a?.lower ?? Number.NaN) | (second.lower << 16),
            ];
          });
          const list = input(Uint32Array.from(pairs.flat()));
          const target = inBlocks(arena, start, 16);
          kernels.addSteps(list, list + 16 * pairs.length, upper, lower, target, entries);
          return [floats(target, entries)] as const;
        });
        expectSameBits(found, addSteps(start, chosen, upper, lower));
      },
    ),
    RUNS,
  );
});
