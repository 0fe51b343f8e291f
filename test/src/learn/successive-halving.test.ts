import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { halvingRounds } from "../../../src/learn/successive-halving.ts";

describe("halvingRounds", () => {
  it("tries every start on a few texts, then the better half on more", () => {
    expect(halvingRounds(16, 20)).toEqual([
      { texts: 5, known: 16 },
      { texts: 5, known: 8 },
      { texts: 10, known: 4 },
    ]);
    expect(halvingRounds(1, 8)).toEqual([
      { texts: 5, known: 1 },
      { texts: 3, known: 1 },
    ]);
    expect(halvingRounds(0, 20)).toEqual([]);
  });

  it("never reads a text twice under the same start, and never more texts than there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 2, max: 24 }), (known, texts) => {
        const rounds = halvingRounds(known, texts);
        expect(rounds.reduce((sum, round) => sum + round.texts, 0)).toBe(texts);
        for (const round of rounds) expect(round.texts).toBeGreaterThan(0);
      }),
    );
  });
});
