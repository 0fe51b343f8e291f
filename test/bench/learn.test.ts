import { describe, expect, it } from "vitest";
import { plotOf } from "../../bench/learn/plot.ts";
import type { Run } from "../../bench/learn/runs.ts";
import { summarise } from "../../bench/learn/summary.ts";
import { drawSvg } from "../../bench/plots.ts";

/** One seed's figures of a task, at five texts. */
const measured = (task: string, score: number, metric: "macro" | "mae" = "macro"): Run => {
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

describe("what is told of newcomers", () => {
  it("is the mean over the seeds with its spread, and the best choice without learning", () => {
    const summary = summarise([measured("news", 0.6), measured("news", 0.7)]);
    expect(summary.news?.[5]).toMatchObject({
      metric: "macro",
      seeds: 2,
      edge: 0.66,
      companion: 0.65,
      bestWithout: 0.6,
      bestWithoutIs: "default and label bias",
      spread: { companion: 0.0707 },
      ahead: { ofCompanion: { mean: 0.01, sd: 0 }, ofBestWithout: { mean: 0.06, sd: 0 } },
    });
  });

  it("is an error where labels are numbers: the least is best", () => {
    const summary = summarise([measured("offense", 0.8, "mae")]);
    expect(summary.offense?.[5]).toMatchObject({ metric: "mae", bestWithout: 0.7, bestWithoutIs: "default" });
    expect(summary.offense?.[5]?.ahead.ofCompanion.mean).toBe(-0.01);
  });

  it("is drawn, a panel for each task", async () => {
    const svg = await drawSvg(plotOf(summarise([measured("news", 0.6), measured("offense", 0.8, "mae")])));
    expect(svg).toContain("news, macro accuracy");
    expect(svg).toContain("offense, mean absolute error");
    expect(svg).toContain("best without learning");
  });
});
