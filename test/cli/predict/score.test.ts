import { describe, expect, it } from "vitest";
import { scorePredictions } from "../../../cli/predict/score.ts";

/** Predictions written as `profile label predicted`. */
const scored = (...lines: string[]) =>
  lines.map((line, index) => {
    const [profile = "", label = "", predicted = ""] = line.split(" ");
    return { index, profile, label, predicted };
  });

describe("scorePredictions", () => {
  it("counts every text once in micro and every profile once in macro", () => {
    const score = scorePredictions(scored("a x x", "a x x", "a x x", "b x y"), ["x", "y"]);
    expect(score).toEqual({ n: 4, micro: 0.75, macro: 0.5 });
  });

  it("returns the mean distance if all labels are numbers", () => {
    const score = scorePredictions(scored("a 1 5", "a 2 2", "b 3 1"), ["1", "2", "3", "5"]);
    expect(score).toEqual({ n: 3, micro: 1 / 3, macro: 0.25, mae: 2 });
  });

  it.each([[["1", "2", "many"]], [["1", ""]], [["1", "nan"]], [["1", "0x10"]], [["1", "1e400"]]])(
    "returns no distance for labels %j",
    (labels) => {
      expect(scorePredictions(scored("a 1 1"), labels)).not.toHaveProperty("mae");
    },
  );

  it("returns no distance if a text's label is no number", () => {
    expect(scorePredictions(scored("a 1 1", "a many 1"), ["1", "2"])).toEqual({ n: 2, micro: 0.5, macro: 0.5 });
  });
});
