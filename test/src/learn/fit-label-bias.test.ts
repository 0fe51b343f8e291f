import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crossEntropy, fitLabelBias, leaveOneOutLosses } from "../../../src/learn/fit-label-bias.ts";
import { createRandom } from "../../../src/learn/random.ts";

const text = (label: number, logits: number[]) => ({
  logits,
  target: Float32Array.from(logits, (_, place) => (place === label ? 1 : 0)),
});

describe("fitLabelBias", () => {
  it("is where no small step makes texts and prior likelier", () => {
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
            texts.reduce((sum, one) => sum + crossEntropy(one, bias), 0) +
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

  it("stays small where there are few texts", () => {
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

describe("leftOutLosses", () => {
  it("falls by a bias that all texts have in common, and rises by one of a single text", () => {
    const skewed = Array.from({ length: 12 }, () => text(0, [0, 0]));
    for (const loss of leaveOneOutLosses(skewed, 2, 1)) expect(loss).toBeLessThan(Math.log(2));
    const mixed = [text(0, [0, 0]), text(1, [0, 0])];
    for (const loss of leaveOneOutLosses(mixed, 2, 1)) expect(loss).toBeGreaterThan(Math.log(2));
  });

  it("is as near as if each bias had been fitted from nothing", () => {
    const drawn = createRandom(3);
    const texts = Array.from({ length: 20 }, (_, place) =>
      text(place % 3, [drawn.normal(), drawn.normal(), drawn.normal()]),
    );
    const losses = leaveOneOutLosses(texts, 3, 1);
    for (const [left, one] of texts.entries()) {
      const others = texts.filter((_, place) => place !== left);
      expect(losses[left]).toBeCloseTo(crossEntropy(one, fitLabelBias(others, 3, 1)), 3);
    }
  });
});
