import fc from "fast-check";
import { it } from "vitest";
import { runGuarded } from "../../../support/kernels/arena.ts";
import { createDrawn, draws, multiples, RUNS, tokenCounts } from "../../../support/kernels/draws.ts";
import { embed } from "../../../support/kernels/embed.ts";
import { expectSameBits } from "../../../support/kernels/same-bits.ts";

/** Texts of any words and types, of the first word (padding) alone, and of the last type alone. */
const kinds = fc.constantFrom("any", "padding", "last type");

it("adds and normalizes embeddings with the bits of the reference", () => {
  const cases = fc.record({
    tokens: tokenCounts,
    width: multiples(4, 12),
    words: fc.integer({ min: 1, max: 20 }),
    types: fc.integer({ min: 1, max: 3 }),
    kind: kinds,
    draw: draws,
  });
  fc.assert(
    fc.property(cases, ({ tokens, width, words, types, kind, draw }) => {
      const drawn = createDrawn(draw);
      const ids = drawn.integers(tokens, 0, kind === "padding" ? 0 : words - 1);
      const typeIds = drawn.integers(tokens, kind === "last type" ? types - 1 : 0, types - 1);
      const tables = {
        words: Int8Array.from(drawn.integers(words * width, -128, 127)),
        scales: drawn.floats(words),
        types: drawn.floats(types * width),
        positions: drawn.floats(tokens * width),
        norm: drawn.floats(2 * width),
      };
      const [found] = runGuarded(({ kernels, input, allocate, floats }) => {
        const addresses = Object.values(tables).map(input);
        const target = allocate(4 * tokens * width);
        kernels.embed(input(ids), input(typeIds), tokens, width, ...addresses, 1e-12, target);
        return [floats(target, tokens * width)] as const;
      });
      expectSameBits(found, embed(ids, typeIds, tables, 1e-12));
    }),
    RUNS,
  );
});
