import { describe, expect, it } from "vitest";
import { bestScale, type HeldOutLogits, summarizeHeldOut } from "../../../src/learn/held-out-scores.ts";

/** Returns a text of two labels that label 0 is answered for, with a score. */
const answered = (score: number, isRight: boolean, count = 1): HeldOutLogits => ({
  logits: [Math.log(score / (1 - score)), 0],
  target: Float64Array.of(Number(isRight), Number(!isRight)),
  count,
});

describe("summarizeHeldOut", () => {
  it("proposes the lowest score at which answers reach the target accuracy", () => {
    const results = [
      answered(0.9, true, 50),
      answered(0.8, true, 50),
      answered(0.7, false, 50),
      answered(0.6, true, 50),
    ];
    const abstentionAt = (target: number) => summarizeHeldOut(results, 1, target).abstention;
    const none = { below: null, answered: 0, accuracy: null };
    expect(abstentionAt(0.98)).toEqual({ below: expect.closeTo(0.8), answered: 0.5, accuracy: 1 });
    expect(abstentionAt(0.7)).toEqual({ below: expect.closeTo(0.6), answered: 1, accuracy: 0.75 });
    expect(summarizeHeldOut([answered(0.9, false, 50), ...results], 1, 0.9).abstention).toEqual(none);
    // No number of right answers shows that all are right.
    expect(abstentionAt(1)).toEqual(none);
  });

  it.each([
    [0, 15],
    [1, 31],
  ])("takes an accuracy of 0.9 as reached with %s wrong answers only from %s right ones on", (wrong, least) => {
    for (const right of [least - 1, least]) {
      const { abstention } = summarizeHeldOut([answered(0.9, true, right), answered(0.9, false, wrong)], 1, 0.9);
      expect(abstention.below !== null).toBe(right === least);
    }
  });

  it("does not separate texts of one score", () => {
    const { abstention } = summarizeHeldOut([answered(0.8, true), answered(0.8, false)], 1, 0.9);
    expect(abstention.below).toBeNull();
  });

  it("counts a text for each of its examples", () => {
    const { score } = summarizeHeldOut([answered(0.8, true, 3), answered(0.7, false)], 1, 0.9);
    expect(score.accuracy).toBe(0.75);
    const mixed = { ...answered(0.8, true, 4), target: Float64Array.of(0.25, 0.75) };
    expect(summarizeHeldOut([mixed], 1, 0.9).score.accuracy).toBe(0.25);
  });

  it("has no calibration error where scores are accuracies, and all of it where they are not", () => {
    const texts = [...Array(3).fill(answered(0.75, true)), answered(0.75, false)];
    expect(summarizeHeldOut(texts, 1, 0.9).calibrationError).toBeCloseTo(0);
    expect(summarizeHeldOut([answered(0.75, true)], 1, 0.9).calibrationError).toBeCloseTo(0.25);
  });
});

describe("bestScale", () => {
  it("sharpens scores that are lower than the accuracy, and softens those that are higher", () => {
    const right = Array(9).fill(answered(0.6, true));
    expect(bestScale([...right, answered(0.6, false)]).scale).toBeGreaterThan(2);
    const wrong = Array(4).fill(answered(0.9, false));
    expect(bestScale([...Array(6).fill(answered(0.9, true)), ...wrong]).scale).toBe(0.25);
  });
});
