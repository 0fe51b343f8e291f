import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { median, rollups, sum } from "d3-array";
import { z } from "zod";
import type { Bench, Row } from "../bench.ts";

const TOKENS = [8, 32, 128];
const MAX_TRACE_BYTES = 256 * 2 ** 20;
const KERNEL = "_kernel_time";

/** Chrome's trace format; durations in microseconds. */
const traceSchema = z.array(
  z.object({ name: z.string(), dur: z.number(), args: z.object({ op_name: z.string().optional() }) }),
);

/** Returns microseconds of an encoder run by operator, longest first: each node's median, summed by operator. */
async function traceRuns(tokens: number, runs: number): Promise<Map<string, number>> {
  const command = ["bench/operators/trace.ts", String(tokens), String(runs)];
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: MAX_TRACE_BYTES });
  const events = traceSchema.parse(JSON.parse(stdout)).filter(({ name }) => name.endsWith(KERNEL));
  const nodes = rollups(
    events,
    (runs) => ({ operator: runs[0]?.args.op_name ?? "unknown", microseconds: median(runs, ({ dur }) => dur) }),
    ({ name }) => name,
  ).map(([, node]) => node);
  const operators = rollups(
    nodes,
    (group) => sum(group, ({ microseconds }) => microseconds),
    ({ operator }) => operator,
  );
  return new Map(operators.sort(([, a], [, b]) => b - a));
}

export const operators: Bench = {
  name: "operators",
  description: "time of an encoder run by operator, traced by ONNX Runtime in Node",
  async run({ quick, progress }) {
    const traces = new Map<number, Map<string, number>>();
    for (const [done, tokens] of TOKENS.entries()) {
      progress(done, TOKENS.length, `${tokens} tokens`);
      traces.set(tokens, await traceRuns(tokens, quick ? 5 : 60));
    }
    const table = [...(traces.get(32)?.keys() ?? [])].map((operator): Row => {
      const row: Record<string, string | number> = { operator };
      for (const [tokens, trace] of traces) {
        const microseconds = trace.get(operator) ?? 0;
        row[`${tokens} tokens, us`] = microseconds;
        row[`${tokens} tokens, %`] = (100 * microseconds) / sum(trace.values());
      }
      return row;
    });
    const products = table.find(({ operator }) => operator === "DynamicQuantizeMatMul");
    return {
      figures: { operators_products_32: { value: Number(products?.["32 tokens, %"] ?? 0), unit: "% of a run" } },
      table,
    };
  },
};
