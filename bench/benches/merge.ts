import type { TopLevelSpec } from "vega-lite";
import type { Bench, Figure, Row } from "../bench.ts";
import { ENCODER } from "../graphs.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { withWorker } from "../with-worker.ts";

const TOKENS = 32;
const GOAL = { most: 0.05 };
const KINDS = ["sign", "int8"] as const;

/** The paper's sizes, which have a goal, then larger ones, which only inform. */
const POOLS = [
  { size: 100, chosen: 50, figure: "merge_n100" },
  { size: 400, chosen: 50, figure: "merge_n400" },
  { size: 400, chosen: 200 },
  { size: 800, chosen: 400 },
];

const ENCODING = {
  x: { field: "k", type: "quantitative", title: "adapters chosen, k" },
  y: { field: "ratio", type: "quantitative", title: "merge / encoder run" },
  color: { field: "pool", type: "nominal" },
} as const;

const plotOf = (rows: readonly Row[]): TopLevelSpec => ({
  title: `Merge of a cold profile over an encoder run of ${TOKENS} tokens`,
  data: { values: [...rows] },
  layer: [
    {
      mark: { type: "line", strokeDash: [4, 4] },
      transform: [{ aggregate: [{ op: "mean", field: "ratio", as: "ratio" }], groupby: ["pool", "k"] }],
      encoding: ENCODING,
    },
    {
      mark: { type: "point", filled: true, size: 60 },
      encoding: { ...ENCODING, shape: { field: "N", type: "nominal" } },
    },
    { mark: { type: "rule", color: "grey" }, encoding: { y: { datum: GOAL.most } } },
  ],
});

export const merge: Bench = {
  name: "merge",
  description: `the merge of a profile that no cache has / an encoder run of ${TOKENS} tokens`,
  async run({ quick, progress }) {
    const sampling = quick ? { rounds: 2, sampleMs: 20 } : { rounds: 31, sampleMs: 150 };
    const cases = POOLS.flatMap((pool) => KINDS.map((kind) => ({ ...pool, kind })));
    return await withWorker(async (worker) => {
      const figures: Record<string, Figure> = {};
      const table: Row[] = [];
      for (const [done, { size, chosen, figure, kind }] of cases.entries()) {
        progress(done, cases.length, `N = ${size}, k = ${chosen}, ${kind}`);
        const params = { graph: ENCODER, tokens: TOKENS, kind, size, chosen, ...sampling };
        const times = await worker.measure("merge", params);
        const { median, p95 } = pairedRatio(times.merge, times.encoder);
        if (figure) {
          figures[`${figure}_${kind}`] = { value: median, unit: "x" };
          figures[figure] = { value: Math.max(median, figures[figure]?.value ?? 0), unit: "x", goal: GOAL };
        }
        table.push({
          pool: kind,
          N: size,
          k: chosen,
          "merge ms": medianOf(times.merge),
          "encoder ms": medianOf(times.encoder),
          ratio: median,
          "ratio p95": p95,
        });
      }
      return { figures, table, plots: { merge: plotOf(table) } };
    });
  },
};
