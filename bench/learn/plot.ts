import type { TopLevelSpec } from "vega-lite";
import type { Summary } from "./summary.ts";

/** What each line of the plot shows. */
const LINES = { edge: "Worker", companion: "companion", bestWithout: "best without learning" } as const;

/** How good newcomers are by the texts that they were learnt from, a panel for each task. */
export function plotOf(summary: Readonly<Record<string, Readonly<Record<string, Summary>>>>): TopLevelSpec {
  const values = Object.entries(summary).flatMap(([task, counts]) =>
    Object.entries(counts).flatMap(([count, found]) =>
      Object.entries(LINES).map(([key, who]) => ({
        panel: `${task}, ${found.metric === "mae" ? "mean absolute error" : "macro accuracy"}`,
        texts: Number(count),
        score: found[key as keyof typeof LINES],
        who,
      })),
    ),
  );
  return {
    data: { values },
    facet: { column: { field: "panel", type: "nominal", title: null } },
    spec: {
      width: 220,
      height: 220,
      mark: { type: "line", point: true },
      encoding: {
        x: {
          field: "texts",
          type: "quantitative",
          scale: { type: "log", nice: false },
          axis: { values: [5, 10, 20, 50] },
        },
        y: { field: "score", type: "quantitative", scale: { zero: false }, title: null },
        color: { field: "who", type: "nominal", title: null, sort: Object.values(LINES), legend: { labelLimit: 0 } },
      },
    },
    resolve: { scale: { y: "independent" } },
  };
}
