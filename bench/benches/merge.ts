import type { Bench, Figure } from "../bench.ts";
import { ENCODER } from "../graphs.ts";
import { withWorker } from "../isolate.ts";
import { ratioOf, spreadOf } from "../statistics.ts";

const TOKENS = 32;
const GOAL = { most: 0.05 };
const KINDS = ["sign", "int8"] as const;

/** The paper's sizes first, which have a goal; then larger choices, which only inform. */
const POOLS = [
  { size: 100, chosen: 50, figure: "merge_n100" },
  { size: 400, chosen: 50, figure: "merge_n400" },
  { size: 400, chosen: 200 },
  { size: 800, chosen: 400 },
];

interface Row {
  readonly pool: string;
  readonly N: number;
  readonly k: number;
  readonly "merge ms": number;
  readonly "encoder ms": number;
  readonly ratio: number;
  readonly "ratio p95": number;
}

const plotOf = (rows: readonly Row[]) => ({
  title: `Merge of a cold profile over an encoder run of ${TOKENS} tokens`,
  data: { values: rows.map((row) => ({ ...row, series: `${row.pool}, N = ${row.N}` })) },
  layer: [
    {
      mark: { type: "line" as const, strokeDash: [4, 4] },
      transform: [{ aggregate: [{ op: "mean" as const, field: "ratio", as: "ratio" }], groupby: ["pool", "k"] }],
      encoding: {
        x: { field: "k", type: "quantitative" as const, title: "adapters chosen, k" },
        y: { field: "ratio", type: "quantitative" as const, title: "merge / encoder run" },
        color: { field: "pool", type: "nominal" as const },
      },
    },
    {
      mark: { type: "point" as const, filled: true, size: 60 },
      encoding: {
        x: { field: "k", type: "quantitative" as const },
        y: { field: "ratio", type: "quantitative" as const },
        color: { field: "pool", type: "nominal" as const },
        shape: { field: "N", type: "nominal" as const },
      },
    },
    { mark: { type: "rule" as const, color: "grey" }, encoding: { y: { datum: GOAL.most } } },
  ],
});

export const merge: Bench = {
  name: "merge",
  about: `a cold profile's merge, over an encoder run of ${TOKENS} tokens`,
  async run({ quick, progress }) {
    const patience = quick ? { rounds: 2, turnMs: 20 } : { rounds: 31, turnMs: 150 };
    const cases = POOLS.flatMap((pool) => KINDS.map((kind) => ({ ...pool, kind })));
    return await withWorker(async (worker) => {
      const figures: Record<string, Figure> = {};
      const table: Row[] = [];
      for (const [done, { size, chosen, figure, kind }] of cases.entries()) {
        progress(done, cases.length, `N = ${size}, k = ${chosen}, ${kind}`);
        const params = { encoder: ENCODER, tokens: TOKENS, kind, size, chosen };
        const found = await worker.measure("merge", { ...params, ...patience });
        const ratio = ratioOf(found.merge, found.encoder);
        if (figure) {
          figures[`${figure}_${kind}`] = { value: ratio.median, unit: "x" };
          const larger = Math.max(ratio.median, figures[figure]?.value ?? 0);
          figures[figure] = { value: larger, unit: "x", goal: GOAL };
        }
        table.push({
          pool: kind,
          N: size,
          k: chosen,
          "merge ms": spreadOf(found.merge).median,
          "encoder ms": spreadOf(found.encoder).median,
          ratio: ratio.median,
          "ratio p95": ratio.p95,
        });
      }
      return { figures, table: table.map((row) => ({ ...row })), plots: { merge: plotOf(table) } };
    });
  },
};
