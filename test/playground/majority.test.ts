import { expect, it } from "vitest";
import type { Outcome, Prediction } from "../../playground/api/answers.ts";
import { disagreementFirst, majorityOf, majorityText } from "../../playground/compare/majority.ts";

const outcome = (profile: string, label: string): Outcome => ({
  profile,
  prediction: { profile, label, generation: 1, masks: "profile", tokens: 3, truncated: false } satisfies Prediction,
});
const failed: Outcome = { profile: "z", error: new Error("No such profile.") };

it("orders rare labels first, errors last and equals by id", () => {
  const outcomes = [outcome("d", "now"), outcome("c", "now"), failed, outcome("b", "later"), outcome("a", "now")];
  expect(disagreementFirst(outcomes).map(({ profile }) => profile)).toEqual(["b", "a", "c", "d", "z"]);
});

it.each([
  [[], ""],
  [["now"], "Label: “now”."],
  [["now", "now"], "All 2 say “now”."],
  [["now", "later"], "They differ: 1 say “now”, 1 say “later”."],
  [["now", "later", "now"], "1 of these 3 disagrees with their most common answer, “now”."],
  [["a", "b", "c", "a", "a"], "2 of these 5 disagree with their most common answer, “a”."],
])("puts %j in words", (labels, text) => {
  expect(majorityText(majorityOf(labels.map((label, place) => outcome(String(place), label))))).toBe(text);
});
