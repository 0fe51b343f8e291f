import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

/** Draws a plot that reads on light and on dark pages. */
export async function drawSvg(spec: TopLevelSpec): Promise<string> {
  const compiled = compile({ background: "white", width: 480, height: 280, ...spec } as TopLevelSpec);
  const view = new vega.View(vega.parse(compiled.spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
