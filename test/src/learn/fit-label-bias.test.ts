import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossEntropy, fitLabelBias, leaveOneOutLosses } from "../../../src/learn/fit-label-bias.ts";
import { createRandom } from "../../../src/learn/random.ts";

const text = (label: number, logits: number[]) => ({
  logits,
  target: Float32Array.from(logits, (_, place) => (place === label ? 1 : 0)),
});

describe("fitLabelBias", () => {
  it("finds the bias from which no small step lowers the penalized loss", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            label: fc.integer({ min: 0, max: 2 }),
            logits: fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 3, maxLength: 3 }),
          }),
          { minLength: 1, maxLength: 40 },
        ),
        fc.double({ min: 0.2, max: 2, noNaN: true }),
        (drawn, spread) => {
          const texts = drawn.map(({ label, logits }) => text(label, logits));
          const cost = (bias: Float64Array) =>
            texts.reduce((sum, scored) => sum + crossEntropy(scored, bias), 0) +
            bias.reduce((sum, value) => sum + (value / spread) ** 2 / 2, 0);
          const bias = fitLabelBias(texts, 3, spread);
          for (const label of [0, 1, 2]) {
            for (const step of [-1 / 16, 1 / 16]) {
              expect(cost(bias)).toBeLessThanOrEqual(
                cost(bias.map((value, at) => value + (at === label ? step : 0))) + 1e-6,
              );
            }
          }
        },
      ),
    );
  });

  it("keeps the bias small for few texts", () => {
    const one = fitLabelBias([text(0, [0, 0])], 2, 1)[0] ?? 0;
    const many =
      fitLabelBias(
        Array.from({ length: 50 }, () => text(0, [0, 0])),
        2,
        1,
      )[0] ?? 0;
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThan(0.5);
    expect(many).toBeGreaterThan(2 * one);
  });
});

describe("leaveOneOutLosses", () => {
  it("fall for a bias that all texts support, and rise for a bias from a single text", () => {
    const skewed = Array.from({ length: 12 }, () => text(0, [0, 0]));
    for (const loss of leaveOneOutLosses(skewed, 2, 1)) expect(loss).toBeLessThan(Math.log(2));
    const mixed = [text(0, [0, 0]), text(1, [0, 0])];
    for (const loss of leaveOneOutLosses(mixed, 2, 1)) expect(loss).toBeGreaterThan(Math.log(2));
  });

  it("match a bias fitted from scratch for each held-out text", () => {
    const random = createRandom(3);
    const texts = Array.from({ length: 20 }, (_, place) =>
      text(place % 3, [random.normal(), random.normal(), random.normal()]),
    );
    const losses = leaveOneOutLosses(texts, 3, 1);
    for (const [heldOut, scored] of texts.entries()) {
      const others = texts.filter((_, place) => place !== heldOut);
      expect(losses[heldOut]).toBeCloseTo(crossEntropy(scored, fitLabelBias(others, 3, 1)), 3);
    }
  });
});
