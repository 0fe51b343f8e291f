import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitHead as fitInSteps, type HeadFit, type LinearHead } from "../../../src/learn/fit-head.ts";
import { createRandom } from "../../../src/learn/random.ts";
import { softmax } from "../../../src/model/head.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };

interface Drawn extends HeadFit {
  readonly features: Float32Array;
  readonly offsets: Float64Array;
  readonly sampleWeights: Float64Array;
  readonly targets: Float64Array;
  readonly texts: number;
}

/** Random fits, with more texts than features and with fewer; some texts are the same, and some do not count. */
const drawnFits = fc
  .record({
    seed: fc.integer(),
    texts: fc.integer({ min: 1, max: 12 }),
    hidden: fc.integer({ min: 1, max: 8 }),
    labels: fc.integer({ min: 2, max: 4 }),
    weightPrecision: fc.constantFrom(0.05, 1, 30),
    biasPrecision: fc.constantFrom(0.01, 1, 100),
  })
  .map(({ seed, texts, hidden, labels, ...precisions }): Drawn => {
    const random = createRandom(seed);
    const numbers = (length: number, size: number) => Float32Array.from({ length }, () => size * random.normal());
    const features = numbers(texts * hidden, 1);
    features.copyWithin((texts - 1) * hidden, 0, hidden);
    const scores = numbers(texts * labels, 2);
    const rows = Array.from({ length: texts }, (_, text) =>
      softmax([...scores.subarray(text * labels, (text + 1) * labels)]),
    );
    return {
      features,
      hidden,
      labels,
      texts,
      targets: Float64Array.from(rows.flat()),
      offsets: Float64Array.from(numbers(texts * labels, 1)),
      sampleWeights: Float64Array.from(numbers(texts, 1), (value) => Math.max(0, value)),
      ...precisions,
    };
  });

const fitHead = (fit: HeadFit) => fitInSteps(fit, async () => {});

const at = (numbers: ArrayLike<number>, index: number) => numbers[index] ?? Number.NaN;

/** Returns the gradient of a fit's objective, written as the definition says: weights `[labels, hidden]`, then biases. */
function gradientOf(fit: Drawn, head: LinearHead): number[] {
  const { hidden, labels, texts, weightPrecision, biasPrecision } = fit;
  const weight = Array.from({ length: labels * hidden }, (_, i) => weightPrecision * at(head.weight, i));
  const bias = Array.from({ length: labels }, (_, i) => biasPrecision * at(head.bias, i));
  for (let text = 0; text < texts; text++) {
    const features = fit.features.subarray(text * hidden, (text + 1) * hidden);
    const logits = Array.from({ length: labels }, (_, label) =>
      features.reduce(
        (sum, value, i) => sum + value * at(head.weight, label * hidden + i),
        at(head.bias, label) + at(fit.offsets, text * labels + label),
      ),
    );
    for (const [label, score] of softmax(logits).entries()) {
      const missed = at(fit.sampleWeights, text) * (score - at(fit.targets, text * labels + label));
      bias[label] = at(bias, label) + missed;
      for (const [i, value] of features.entries())
        weight[label * hidden + i] = at(weight, label * hidden + i) + missed * value;
    }
  }
  return [...weight, ...bias];
}

const numbersOf = ({ weight, bias }: LinearHead) => [...Array.from(weight), ...Array.from(bias)];

function expectClose(head: LinearHead, other: LinearHead, tolerance: number): void {
  const expected = numbersOf(other);
  for (const [i, value] of numbersOf(head).entries()) expect(Math.abs(value - at(expected, i))).toBeLessThan(tolerance);
}

describe("fitHead", () => {
  it("finds the head at which the objective's gradient is zero, to seven digits for each text", async () => {
    await fc.assert(
      fc.asyncProperty(drawnFits, fc.constantFrom(1, 1e-3, 1e-6), async (drawn, size) => {
        // As the learning of a profile has it: the precision of weights is of the features' size.
        const weightPrecision = drawn.weightPrecision * size ** 2;
        const fit = { ...drawn, weightPrecision, features: drawn.features.map((value) => size * value) };
        const counted = fit.sampleWeights.reduce((sum, value) => sum + value, 0);
        const slopes = gradientOf(fit, await fitHead(fit));
        // A gradient of a few more digits than rounding leaves.
        expect(Math.hypot(...slopes)).toBeLessThanOrEqual(1e-7 * counted + 1e-12);
      }),
    );
  });

  it("lets other work run after each step, and ends where that fails", async () => {
    const fit = fc.sample(drawnFits, { numRuns: 1, seed: 1 })[0] as Drawn;
    let steps = 0;
    const failing = async () => {
      steps++;
      if (steps === 3) throw new Error("enough");
    };
    await expect(fitInSteps(fit, failing)).rejects.toThrow("enough");
    expect(steps).toBe(3);
  });

  it("takes a text that counts twice as two texts", async () => {
    await fc.assert(
      fc.asyncProperty(drawnFits, async (fit) => {
        const twice = await fitHead({ ...fit, sampleWeights: fit.sampleWeights.map((value) => 2 * value) });
        const both = <Numbers extends Float32Array | Float64Array>(numbers: Numbers) => [...numbers, ...numbers];
        const copied = await fitHead({
          ...fit,
          features: both(fit.features),
          targets: both(fit.targets),
          offsets: both(fit.offsets),
          sampleWeights: both(fit.sampleWeights),
        });
        expectClose(twice, copied, 1e-3);
      }),
    );
  });

  it("returns zeros for no texts, and the same bits each time", async () => {
    const fit = fc.sample(drawnFits, { numRuns: 1, seed: 1 })[0] as Drawn;
    expect(await fitHead(fit)).toEqual(await fitHead(fit));
    const none = new Float32Array(0);
    const head = await fitHead({ ...fit, features: none, targets: none, offsets: none, sampleWeights: none });
    expect(new Set(numbersOf(head))).toEqual(new Set([0]));
  });

  it("rejects a precision of 0, under which there may be no optimum", async () => {
    const fit = fc.sample(drawnFits, { numRuns: 1, seed: 1 })[0] as Drawn;
    await expect(fitHead({ ...fit, weightPrecision: 0 })).rejects.toThrow(RangeError);
    await expect(fitHead({ ...fit, biasPrecision: 0 })).rejects.toThrow(RangeError);
  });
});

describe.each(golden.headFits.map((fit, number) => ({ fit, number })))("scikit-learn's fit $number", ({ fit }) => {
  it("has the same head", async () => {
    const { features, targets, weight, bias, ...rest } = fit;
    const head = await fitHead({ ...rest, features: features.flat(), targets: targets.flat() });
    expectClose(head, { weight: weight.flat(), bias }, 1e-6);
  });
});
