import { mean } from "d3-array";
import { count, onlyStatuses, predict, predictStream, type Statuses } from "../asking.ts";
import type { Bench, Line } from "../bench.ts";
import { draws, type Send, throughput } from "../load.ts";
import { usedOf, withInspected } from "../memory/inspected.ts";
import { manyRows, profileOf } from "../memory/rows.ts";
import { MEGABYTE } from "../statistics.ts";
import { textOf } from "../texts.ts";

const MOST_GROWTH_MEGABYTES = 2;
const AT_A_TIME = 4;
const TASKS = 4;
const PROFILES = 500;
const MOST_TOKENS = 48;

/** Every so many calls one of another kind, so that errors and streams are among them. */
const KINDS = { unknownProfile: 11, noJson: 17, stream: 23, largest: 97 };

/** Predictions of several kinds, mixed the same way at each run. */
function callsOf(url: URL, statuses: Statuses, calls: number): Send[] {
  const [tokens, profile] = [draws(3, MOST_TOKENS - 3), draws(4, PROFILES)];
  return Array.from({ length: calls }, (_, call) => {
    const text = textOf(3 + tokens.next().value);
    const asked = { task: "task-0", profile: profileOf(profile.next().value) };
    const send = (): Promise<Response> => {
      if (call % KINDS.unknownProfile === 0) return predict(url, { ...asked, profile: "nobody", inputs: text });
      if (call % KINDS.noJson === 0) return predict(url, "{");
      if (call % KINDS.stream === 0) {
        return predictStream(url, `task=task-0&profile=${asked.profile}`, [{ text }, { text: "" }, { text }]);
      }
      if (call % KINDS.largest === 1) return predict(url, { ...asked, inputs: textOf(512) });
      return predict(url, { ...asked, inputs: text, scores: call % 2 === 0 });
    };
    return async () => {
      await count(statuses, send());
    };
  });
}

export const soak: Bench = {
  name: "soak",
  about: "whether an isolate grows: its memory over thousands of calls",
  async run({ quick, progress }) {
    const { calls, every } = quick ? { calls: 160, every: 40 } : { calls: 20_000, every: 1000 };
    return await withInspected(await manyRows(TASKS, PROFILES), async (worker) => {
      const table: Line[] = [];
      const used: number[] = [];
      const statuses: Statuses = {};
      const all = callsOf(worker.url, statuses, calls);
      for (let done = 0; done < calls; done += every) {
        progress(done, calls, "calls");
        await throughput(all.slice(done, done + every), AT_A_TIME);
        const memory = await worker.inUse();
        used.push(usedOf(memory) / MEGABYTE);
        const { wasm, heap, outside } = memory;
        table.push({
          calls: done + every,
          "WASM MB": wasm / MEGABYTE,
          "JS in use MB": memory.used / MEGABYTE,
          "JS heap MB": heap / MEGABYTE,
          "outside MB": outside / MEGABYTE,
        });
      }
      onlyStatuses("A call", statuses, [200, 400, 404]);
      const [first = Number.NaN] = used;
      const last = used.at(-1) ?? Number.NaN;
      const half = used.length >> 1;
      const drift = (mean(used.slice(half)) ?? Number.NaN) - (mean(used.slice(1, half)) ?? Number.NaN);
      return {
        figures: {
          soak_growth_mb: { value: last - first, unit: "MB", goal: { most: MOST_GROWTH_MEGABYTES } },
          soak_drift_mb: { value: drift, unit: "MB" },
        },
        table,
        plots: { soak: plotOf(table) },
      };
    });
  },
};

const plotOf = (table: readonly Line[]) => ({
  title: "Memory in use after so many calls, garbage collected",
  data: { values: [...table] },
  transform: [{ fold: ["WASM MB", "JS in use MB", "outside MB"], as: ["part", "MB"] as [string, string] }],
  mark: "area" as const,
  encoding: {
    x: { field: "calls", type: "quantitative" as const },
    y: { field: "MB", type: "quantitative" as const, stack: "zero" as const },
    color: { field: "part", type: "nominal" as const, title: null },
  },
});
