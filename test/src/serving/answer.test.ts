import { describe, expect, it } from "vitest";
import { formatPrediction, rankLabels } from "../../../src/serving/answer.ts";

const LABELS = ["low", "middle", "high"];
const PREDICTION = {
  label: "high",
  score: 0.5,
  labels: LABELS,
  scores: [0.2, 0.3, 0.5],
  logits: [-1, 0.5, 2],
  tokens: 7,
  truncated: false,
};
const FROM = { profile: "anna", masks: "profile", generation: 4 } as const;
const PLAIN = { ...FROM, label: "high", score: 0.5, tokens: 7, truncated: false };

describe("rankLabels", () => {
  it("ranks the best label first, and breaks ties by the task's order", () => {
    expect(rankLabels(LABELS, [0.3, 0.4, 0.3])).toEqual([
      { label: "middle", score: 0.4 },
      { label: "low", score: 0.3 },
      { label: "high", score: 0.3 },
    ]);
  });
});

describe("formatPrediction", () => {
  it("includes only the requested fields", () => {
    expect(formatPrediction(FROM, PREDICTION, {})).toEqual(PLAIN);
    expect(formatPrediction(FROM, PREDICTION, { scores: false, logits: false })).toEqual(PLAIN);
  });

  it.each([
    [
      { topK: 2 },
      {
        top: [
          { label: "high", score: 0.5 },
          { label: "middle", score: 0.3 },
        ],
      },
    ],
    [{ topK: 9 }, { top: rankLabels(LABELS, PREDICTION.scores) }],
    [{ scores: true }, { scores: { low: 0.2, middle: 0.3, high: 0.5 } }],
    [{ logits: true }, { logits: { low: -1, middle: 0.5, high: 2 } }],
  ])("includes the fields requested by %j", (options, more) => {
    expect(formatPrediction(FROM, PREDICTION, options)).toEqual({ ...PLAIN, ...more });
  });

  it("throws a RangeError without a prediction", () => {
    expect(() => formatPrediction(FROM, undefined, {})).toThrow(RangeError);
  });
});
