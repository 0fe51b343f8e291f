import fc from "fast-check";
import { it } from "vitest";
import { runGuarded } from "../../../support/kernels/arena.ts";
import { createDrawn, draws, multiples, RUNS, tokenCounts } from "../../../support/kernels/draws.ts";
import { add, at } from "../../../support/kernels/float32.ts";
import { mapRows } from "../../../support/kernels/rows.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";
import { adapt } from "../../../support/kernels/tail.ts";

it("ends a layer and pools a tail with the bits of the reference", () => {
  const cases = fc.record({
    tokens: tokenCounts,
    hidden: multiples(4, 6),
    bottleneck: multiples(4, 3),
    epsilon: fc.constantFrom(1e-12, 1e-5),
    draw: draws,
  });
  fc.assert(
    fc.property(cases, ({ tokens, hidden, bottleneck, epsilon, draw }) => {
      const drawn = createDrawn(draw);
      const residuals = drawn.floats(tokens * hidden);
      const norm = drawn.floats(2 * hidden);
      const [down, up] = [drawn.floats(hidden * bottleneck), drawn.floats(bottleneck * hidden)];
      const start = drawn.floats(hidden);
      const unit = Float32Array.from({ length: 2 * bottleneck }, (_, index) => (index < bottleneck ? 1 : 0));
      const [outputs, pooled] = runGuarded(({ kernels, input, inPlace, allocate, floats }) => {
        const ofLayer = [input(norm), epsilon, input(unit), 1e-5, input(down), input(up)] as const;
        const layout = [4 * hidden, 4 * bottleneck, ...ofLayer, allocate(4 * (hidden + bottleneck))] as const;
        const [rows, read, sums] = [inPlace(residuals), input(residuals), inPlace(start)];
        kernels.adaptRows(rows, tokens, ...layout);
        kernels.addTail(read, read + residuals.byteLength, ...layout, sums);
        return [floats(rows, residuals.length), floats(sums, hidden)] as const;
      });
      const layer = { norm, epsilon, unitEpsilon: 1e-5, down, up };
      const expected = mapRows(residuals, hidden, (row) => adapt(row, layer));
      expectSameBits(outputs, expected);
      const sums = start.map((sum, index) => {
        for (let place = index; place < expected.length; place += hidden) sum = add(sum, at(expected, place));
        return sum;
      });
      expectSameBits(pooled, sums);
    }),
    RUNS,
  );
});
