import { describe, expect, it } from "vitest";
import type { TaskRun } from "../../bench/learn/files.ts";
import { describeInterval, intervalOf, summarize } from "../../bench/learn/summary.ts";

/** Returns a task's run of two draws with five texts a profile, of two newcomers. */
const runOf = (metric: "accuracy" | "mean absolute error"): TaskRun => ({
  companion: {
    task: "news",
    data: "news.jsonl",
    seed: 0,
    metric,
    newcomers: ["a", "b"],
    runs: [
      { draw: 0, texts: 5, methods: { default: [0.5, 0.3], add: [0.6, 0.4] } },
      { draw: 1, texts: 5, methods: { default: [0.5, 0.3] } },
      // Not learnt yet.
      { draw: 0, texts: 10, methods: { default: [0.5, 0.3] } },
    ],
  },
  edge: {
    commit: "0000000",
    recipe: {},
    runs: [
      { draw: 1, texts: 5, figures: [0.8, 0.5], kept: { head: 2 }, bytes: 400, seconds: 2 },
      { draw: 0, texts: 5, figures: [0.6, 0.3], kept: { head: 2 }, bytes: 300, seconds: 1 },
    ],
  },
});

describe("the summary of new profiles", () => {
  it("pairs what is learnt with each method within newcomers and draws", () => {
    const { news } = summarize([runOf("accuracy")]);
    expect(Object.keys(news ?? {})).toEqual(["5"]);
    expect(news?.[5]).toMatchObject({ newcomers: 2, draws: 2, learnt: 0.55, bytes: 400, seconds: 1.5 });
    expect(news?.[5]?.methods).toEqual({ default: 0.4, add: 0.5 });
    // Newcomer a gains 10 and 30 points over the default, b 0 and 20. `add` learnt the first draw alone.
    expect(news?.[5]?.differences.default).toMatchObject({ mean: 15, low: 10, high: 20 });
    expect(news?.[5]?.differences.add).toMatchObject({ mean: -5, low: -10, high: 0 });
  });

  it("is positive where learning is better, for errors too", () => {
    const { news } = summarize([runOf("mean absolute error")]);
    expect(news?.[5]?.differences.default?.mean).toBe(-15);
  });
});

it("gives the same interval each time, and shows its signs", () => {
  const gains = [0.01, 0.02, -0.01, 0.03];
  expect(intervalOf(gains)).toEqual(intervalOf(gains));
  expect(describeInterval({ mean: 0.5, low: -0.1, high: 1.25 })).toBe("+0.50 (-0.10 to +1.25)");
});
