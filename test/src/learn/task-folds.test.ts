import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../src/learn/random.ts";
import { stratifiedFolds } from "../../../src/learn/task-folds.ts";

describe("stratifiedFolds", () => {
  it("hold each text out once, and spread each label's texts evenly", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 40 }),
        fc.integer(),
        (labels, seed) => {
          const folds = stratifiedFolds(labels, createRandom(seed));
          const heldOut = folds.flatMap((fold) => fold.heldOut);
          expect(heldOut.toSorted((a, b) => a - b)).toEqual([...labels.keys()]);
          for (const fold of folds) {
            expect([...fold.train, ...fold.heldOut].toSorted((a, b) => a - b)).toEqual([...labels.keys()]);
          }
          for (const label of new Set(labels)) {
            const counts = folds.map((fold) => fold.heldOut.filter((text) => labels[text] === label).length);
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });
});
