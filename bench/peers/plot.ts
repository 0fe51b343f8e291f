import type { TopLevelSpec } from "vega-lite";

/** A peer's throughput with so many profiles over its own with one. */
export interface Point {
  readonly peer: string;
  readonly profiles: number;
  readonly throughput: number;
}

/** Throughput against the number of profiles, a line for each peer. */
export function plotOf(points: readonly Point[]): TopLevelSpec {
  return {
    title: "Throughput with profiles drawn uniformly, over that with one",
    data: { values: [...points] },
    mark: { type: "line", point: true },
    encoding: {
      x: { field: "profiles", type: "quantitative", scale: { type: "log" }, title: "profiles" },
      y: {
        field: "throughput",
        type: "quantitative",
        scale: { domainMin: 0 },
        title: "throughput / own with 1 profile",
      },
      color: { field: "peer", type: "nominal", sort: null },
    },
  };
}
