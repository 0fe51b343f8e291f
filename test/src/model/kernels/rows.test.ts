import fc from "fast-check";
import { it } from "vitest";
import { runGuarded } from "../../../support/kernels/arena.ts";
import { createDrawn, draws, multiples, RUNS, tokenCounts } from "../../../support/kernels/draws.ts";
import { add, at } from "../../../support/kernels/float32.ts";
import { mapRows, normalize } from "../../../support/kernels/rows.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";

const cases = fc.record({ count: tokenCounts, width: multiples(4, 12), draw: draws });

it("normalizes rows with the bits of the reference, to another place or where they are", () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(1e-12, 1e-5, 0), ({ count, width, draw }, epsilon) => {
      const drawn = createDrawn(draw);
      const [rows, norm] = [drawn.floats(count * width), drawn.floats(2 * width)];
      const expected = mapRows(rows, width, (row) => normalize(row, norm, epsilon));
      const results = runGuarded(({ kernels, input, inPlace, allocate, floats }) => {
        const [norms, place, target] = [input(norm), inPlace(rows), allocate(rows.byteLength)];
        kernels.normalizeRows(input(rows), count, 4 * width, norms, epsilon, target);
        kernels.normalizeRows(place, count, 4 * width, norms, epsilon, place);
        return [floats(target, rows.length), floats(place, rows.length)];
      });
      for (const found of results) expectSameBits(found, expected);
    }),
    RUNS,
  );
});

it("adds rows with the bits of float32 sums", () => {
  fc.assert(
    fc.property(cases, ({ count, width, draw }) => {
      const drawn = createDrawn(draw);
      const [rows, others] = [drawn.floats(count * width), drawn.floats(count * width)];
      const [found] = runGuarded(({ kernels, input, inPlace, floats }) => {
        const target = inPlace(rows);
        kernels.addRow(input(others), others.byteLength, target);
        return [floats(target, rows.length)] as const;
      });
      expectSameBits(
        found,
        rows.map((value, index) => add(value, at(others, index))),
      );
    }),
    RUNS,
  );
});
