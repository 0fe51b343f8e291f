import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roundsOf } from "../../../src/learn/start.ts";

describe("roundsOf", () => {
  it("tries all starts on a few texts, and the better half on as many again", () => {
    expect(roundsOf(17, 20)).toEqual([
      { texts: 5, starts: 17 },
      { texts: 5, starts: 9 },
      { texts: 10, starts: 5 },
    ]);
    expect(roundsOf(2, 20)).toEqual([{ texts: 5, starts: 2 }]);
    expect(roundsOf(1, 20)).toEqual([]);
  });

  it("never reads a text twice under a start, nor more than there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 2, max: 24 }), (starts, texts) => {
        const rounds = roundsOf(starts, texts);
        expect(rounds.reduce((sum, round) => sum + round.texts, 0)).toBeLessThanOrEqual(texts);
        for (const round of rounds) expect(round.texts).toBeGreaterThan(0);
      }),
    );
  });
});
