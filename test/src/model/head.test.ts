import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bestLabel, changedHead, labelLogits, softmax } from "../../../src/model/head.ts";
import { profileHeads } from "../../support/arbitraries.ts";
import { errorWithCode } from "../../support/errors.ts";

/** Returns the scores of a task with this many labels. */
function scoreLabels(
  head: Float32Array,
  labelBias: Float32Array | null,
  features: Float32Array,
  labels: number,
  adapter: Uint8Array | null = null,
) {
  const task = { head, labels: Array.from({ length: labels }, String), adapter };
  const profileHead = labelBias && { bias: labelBias, change: [], known: null };
  return softmax(labelLogits(task, profileHead, features));
}

describe("labelLogits and softmax", () => {
  it("is the softmax of weight times features plus bias", () => {
    const head = Float32Array.of(1, 2, -1, 0.5, 0.25, -0.25);
    const scores = scoreLabels(head, null, Float32Array.of(2, 1), 2);
    const powers = [Math.exp(4.25), Math.exp(-1.75)] as const;
    expect(scores[0]).toBeCloseTo(powers[0] / (powers[0] + powers[1]), 12);
    expect(scores[1]).toBeCloseTo(powers[1] / (powers[0] + powers[1]), 12);
  });

  it("adds a profile's label bias to the logits", () => {
    const head = Float32Array.of(1, 2, -1, 0.5, 0.25, -0.25);
    const moved = Float32Array.of(1, 2, -1, 0.5, 0.25 + 1.5, -0.25 - 2);
    const features = Float32Array.of(2, 1);
    expect(scoreLabels(head, Float32Array.of(1.5, -2), features, 2)).toEqual(scoreLabels(moved, null, features, 2));
  });

  it("adds each rank's scale · left · (right · features) to the logits", () => {
    const task = { head: Float32Array.of(1, 2, -1, 0.5, 0.25, -0.25), labels: ["a", "b"], adapter: null };
    const change = [
      { scale: 0.5, left: Int8Array.of(3, -1), right: Int8Array.of(2, -4) },
      { scale: 0.25, left: Int8Array.of(0, 8), right: Int8Array.of(1, 1) },
    ];
    const features = Float32Array.of(3, 1);
    // 0.5 · (2·3 - 4·1) = 1, and 0.25 · (3 + 1) = 1
    const [first, second] = labelLogits(task, null, features) as [number, number];
    const profileHead = { bias: [1, 0], change, known: [1] };
    expect(labelLogits(task, profileHead, features)).toEqual([first + 1 + 3, second - 1 + 8]);
  });

  it("gives the changed head the logits of the head and its change", () => {
    fc.assert(
      fc.property(profileHeads, fc.array(fc.integer({ min: -9, max: 9 })), ({ shape, head: profileHead }, numbers) => {
        const { labels, hidden } = shape;
        const number = (index: number) => numbers[index % numbers.length] ?? 1;
        const head = Float32Array.from({ length: labels * (hidden + 1) }, (_, index) => number(index));
        const task = { head, labels: Array.from({ length: labels }, String), adapter: null };
        const features = Float32Array.from({ length: hidden }, (_, index) => number(index + 3));
        const expected = labelLogits(task, profileHead, features);
        const changed = labelLogits({ ...task, head: changedHead(task, profileHead) }, null, features);
        const size = profileHead.change.reduce((sum, { scale }) => sum + scale * 128 * 128 * 9 * hidden, 100);
        for (const [label, logit] of changed.entries())
          expect(Math.abs(logit - (expected[label] ?? Number.NaN)) / size).toBeLessThan(1e-6);
      }),
    );
  });

  it("sums to 1 and stays within 0 and 1, however large the logits", () => {
    const number = fc.float({ noNaN: true, min: -1000, max: 1000 });
    const headLength = 3 * 4 + 3;
    const head = fc.array(number, { minLength: headLength, maxLength: headLength });
    const features = fc.array(number, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(head, features, (h, f) => {
        const scores = scoreLabels(Float32Array.from(h), null, Float32Array.from(f), 3);
        expect(scores.reduce((total, score) => total + score)).toBeCloseTo(1, 9);
        for (const score of scores) expect(score >= 0 && score <= 1).toBe(true);
      }),
    );
  });

  it.each([0, 1, 3, 7, 9])("rejects a head of %i numbers instead of 8", (length) => {
    expect(() => scoreLabels(new Float32Array(length), null, Float32Array.of(1, 2, 3), 2)).toThrow(
      errorWithCode("invalid_row"),
    );
  });

  it.each([NaN, Infinity, -Infinity])("rejects a feature that is %d", (value) => {
    expect(() => scoreLabels(new Float32Array(6), null, Float32Array.of(1, value), 2)).toThrow(
      errorWithCode("bundle_unusable"),
    );
  });

  it("names the task's adapter if a feature is not finite under it", () => {
    const score = () => scoreLabels(new Float32Array(6), null, Float32Array.of(1, NaN), 2, new Uint8Array(1));
    expect(score).toThrow(errorWithCode("invalid_row"));
    expect(score).toThrow("The task's adapter makes features that are not finite.");
  });

  it.each([NaN, Infinity, -Infinity])("rejects a head that contains %d", (value) => {
    expect(() => scoreLabels(Float32Array.of(1, 1, 1, value, 0, 0), null, Float32Array.of(1, 1), 2)).toThrow(
      errorWithCode("invalid_row"),
    );
  });
});

describe("bestLabel", () => {
  it("is the first of equal scores", () => {
    expect(bestLabel([0.2, 0.4, 0.4])).toBe(1);
    expect(bestLabel([0.5, 0.5])).toBe(0);
  });
});
