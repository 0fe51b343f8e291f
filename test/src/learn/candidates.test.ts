import { expect, it } from "vitest";
import { chooseCandidate } from "../../../src/learn/candidates.ts";

const resultsOf = (losses: number[]) => losses.map((loss) => ({ loss, right: true }));

/** Returns the winner by the losses of held-out texts. */
const winner = (head: number[], masks: number[] | null) =>
  chooseCandidate({
    baseline: { kind: "start", results: [] },
    head: { kind: "head", results: resultsOf(head) },
    masks: masks && { kind: "masks", results: resultsOf(masks) },
  }).kind;

it("chooses masks even if the head is slightly better", () => {
  expect(winner([1.5, 1.6, 1.4], [1, 1.1, 0.9])).toBe("masks");
  expect(winner([1, 1.1, 1], [1.3, 1, 1.1])).toBe("masks");
});

it("chooses the head if it beats masks by more than a standard error", () => {
  expect(winner([0.5, 0.6, 0.5], [1.5, 1.5, 1.6])).toBe("head");
  expect(winner([1.2, 1.1, 1.2], [3, 3, 3.1])).toBe("head");
});

it("chooses the head where masks are not trained", () => {
  expect(winner([9, 9, 9], null)).toBe("head");
});
