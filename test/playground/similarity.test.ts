import fc from "fast-check";
import { expect, it } from "vitest";
import { placesOf } from "../../playground/profiles/similarity.ts";

const { signal } = new AbortController();

it("sets two groups of rows apart on the first component", async () => {
  const bits = fc.array(fc.constantFrom(0, 1), { minLength: 40, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.array(bits, { minLength: 6, maxLength: 40 }), async (noise) => {
      // Each row has its own noise behind 60 bits that only its group has.
      const rows = noise.map((own, row) => [...Array.from({ length: 60 }, () => row % 2), ...own]);
      const { x, y } = await placesOf(rows, signal);
      const [even, odd] = [x.filter((_, row) => row % 2 === 0), x.filter((_, row) => row % 2 === 1)];
      const [low, high] = (even[0] ?? 0) < (odd[0] ?? 0) ? [even, odd] : [odd, even];
      expect(Math.max(...low)).toBeLessThan(Math.min(...high));
      for (const place of [...x, ...y]) expect(Math.abs(place)).toBeLessThanOrEqual(1);
    }),
  );
});

it("gives equal rows equal places, and one place to rows without a difference", async () => {
  const { x, y } = await placesOf(
    [
      [1, 0, 1],
      [0, 1, 1],
      [1, 0, 1],
    ],
    signal,
  );
  expect([x[0], y[0]]).toEqual([x[2], y[2]]);
  const same = await placesOf(
    [
      [1, 1],
      [1, 1],
    ],
    signal,
  );
  expect([...same.x, ...same.y].map(Math.abs)).toEqual([0, 0, 0, 0]);
  expect(await placesOf([], signal)).toEqual({ x: new Float64Array(), y: new Float64Array() });
});
