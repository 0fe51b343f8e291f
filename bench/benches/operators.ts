import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { median, rollups } from "d3-array";
import { z } from "zod";
import type { Bench, Line } from "../bench.ts";

const TOKENS = [8, 32, 128];
const MOST_TRACE_BYTES = 256 * 2 ** 20;
const KERNEL = "_kernel_time";

/** Chrome's trace format; microseconds. */
const traceSchema = z.array(
  z.object({ name: z.string(), dur: z.number(), args: z.object({ op_name: z.string().optional() }) }),
);

const run = promisify(execFile);

/** Microseconds of an encoder run by operator: the median of each node, summed over the nodes of a kind. */
async function traceOf(tokens: number, runs: number): Promise<Map<string, number>> {
  const command = ["bench/operators/trace.ts", String(tokens), String(runs)];
  const { stdout } = await run(process.execPath, command, { maxBuffer: MOST_TRACE_BYTES });
  const events = traceSchema.parse(JSON.parse(stdout)).filter(({ name }) => name.endsWith(KERNEL));
  const nodes = rollups(
    events,
    (of) => ({ operator: of[0]?.args.op_name ?? "unknown", middle: median(of, ({ dur }) => dur) ?? Number.NaN }),
    ({ name }) => name,
  );
  const sums = rollups(
    nodes,
    (of) => of.reduce((sum, [, { middle }]) => sum + middle, 0),
    ([, { operator }]) => operator,
  );
  return new Map(sums.sort(([, a], [, b]) => b - a));
}

export const operators: Bench = {
  name: "operators",
  about: "where an encoder run's time goes, by operator, as ONNX Runtime traces it (in Node)",
  async run({ quick, progress }) {
    const traces = new Map<number, Map<string, number>>();
    for (const [done, tokens] of TOKENS.entries()) {
      progress(done, TOKENS.length, `${tokens} tokens`);
      traces.set(tokens, await traceOf(tokens, quick ? 5 : 60));
    }
    const names = [...(traces.get(32)?.keys() ?? [])];
    const table: Line[] = names.map((operator) => {
      const line: Record<string, string | number> = { operator };
      for (const [tokens, trace] of traces) {
        const all = [...trace.values()].reduce((sum, one) => sum + one, 0);
        line[`${tokens} tokens, us`] = trace.get(operator) ?? 0;
        line[`${tokens} tokens, %`] = (100 * (trace.get(operator) ?? 0)) / all;
      }
      return line;
    });
    const products = table.find(({ operator }) => operator === "DynamicQuantizeMatMul");
    return {
      figures: { operators_products_32: { value: Number(products?.["32 tokens, %"] ?? 0), unit: "% of a run" } },
      table,
    };
  },
};
