import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Row } from "./bench.ts";

/** An axis: the column that it shows. */
interface Axis {
  readonly field: string;
  readonly title?: string;
  readonly scale?: Readonly<Record<string, unknown>>;
}

/** Returns a plot of a table's rows as lines with points, one for each value of the column `color`. */
export function linePlot(title: string, rows: readonly Row[], x: Axis, y: Axis, color?: string): TopLevelSpec {
  return {
    title,
    data: { values: [...rows] },
    mark: { type: "line", point: true },
    encoding: {
      x: { title: x.field, ...x, type: "quantitative" },
      y: { title: y.field, ...y, type: "quantitative" },
      ...(color !== undefined && { color: { field: color, type: "nominal", sort: null } }),
    },
  };
}

/** Draws a plot as SVG that is readable on light and on dark pages. */
export async function drawSvg(spec: TopLevelSpec): Promise<string> {
  const compiled = compile({ background: "white", width: 480, height: 280, ...spec } as TopLevelSpec);
  const view = new vega.View(vega.parse(compiled.spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
