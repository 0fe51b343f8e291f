import { describe, expect, it } from "vitest";
import type { Run } from "../../bench/learn/files.ts";
import { plotOf, summarize } from "../../bench/learn/summary.ts";
import { drawSvg } from "../../bench/plots.ts";

/** Returns a run of one seed with five texts a profile. */
const createRun = (task: string, score: number, metric: "macro" | "mae" = "macro"): Run => {
  const scores = (value: number) => ({ macro: 0.5, [metric]: value });
  return {
    companion: {
      task,
      seed: 0,
      newcomers: ["a"],
      counts: {
        5: {
          companion: scores(score),
          without: { default: scores(score - 0.1), "default and label bias": scores(score - 0.05) },
        },
      },
    },
    edge: {
      commit: "0000000",
      recipe: {},
      counts: { 5: { ...scores(score + 0.01), seconds: 2, kept: { masks: 1 } } },
    },
  };
};

describe("the summary of new profiles", () => {
  it("has means over the seeds with their spread, and the best method without masks", () => {
    const summary = summarize([createRun("news", 0.6), createRun("news", 0.7)]);
    expect(summary.news?.[5]).toMatchObject({
      metric: "macro",
      seeds: 2,
      worker: { mean: 0.66 },
      add: { mean: 0.65, sd: 0.0707 },
      baseline: { name: "default and label bias", mean: 0.6 },
      pairedDifference: { add: { mean: 0.01, sd: 0 }, baseline: { mean: 0.06, sd: 0 } },
    });
  });

  it("has errors if labels are numbers: the lowest is best", () => {
    const summary = summarize([createRun("offense", 0.8, "mae")]);
    expect(summary.offense?.[5]).toMatchObject({ metric: "mae", baseline: { name: "default", mean: 0.7 } });
    expect(summary.offense?.[5]?.pairedDifference.add.mean).toBe(-0.01);
  });

  it("is drawn with a panel for each task", async () => {
    const svg = await drawSvg(plotOf(summarize([createRun("news", 0.6), createRun("offense", 0.8, "mae")])));
    expect(svg).toContain("news, macro accuracy");
    expect(svg).toContain("offense, mean absolute error");
    expect(svg).toContain("best without masks");
  });
});
