import { mean } from "d3-array";
import { toBase64 } from "../../src/lib/base64.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { ask, count, onlyStatuses, predict, predictStream, type Statuses } from "../asking.ts";
import type { Bench, Line } from "../bench.ts";
import { draws, type Send, throughput } from "../load.ts";
import { type InspectedWorker, type Rows, usedOf, withInspected } from "../memory/inspected.ts";
import { manyRows } from "../memory/rows.ts";
import { MEGABYTE } from "../statistics.ts";
import { textOf } from "../texts.ts";
import { signerOf } from "../tokens.ts";

const MOST_GROWTH_MEGABYTES = 2;
const AT_A_TIME = 4;
const TASKS = 4;
const PROFILES = 500;
const MOST_TOKENS = 48;

/** Bytes of a body, and how many of them at once: more than are let in. */
const LARGE_BYTES = 255 * 1024;
const BURST = 24;

/** What one call has: a short text, and the profile that it is for. */
interface Call {
  readonly text: string;
  readonly profile: NewProfile;
  readonly asked: { readonly task: string; readonly profile: string };
}

/** Calls of a kind, one of which is made where the count of calls is `at` after a multiple of `every`. */
interface Kind {
  readonly every: number;
  readonly at: number;
  send(call: Call): Promise<Response> | readonly Promise<Response>[];
}

/** Kinds of calls; where a call is of several, of the first. Together they have every kind of answer that a client can get. */
function kindsOf({ url, adminKey }: InspectedWorker, task: NewTask): Kind[] {
  const [masks, all] = [signerOf(task, "masks"), signerOf(task, "all")];
  const byToken = async ({ text, profile, asked }: Call, sign: typeof masks) =>
    predict(url, { ...asked, inputs: text }, await sign(profile));
  const pathOf = ({ task, profile }: Call["asked"]) => `/v1/profiles/${task}/${profile}`;
  return [
    // Their profile is looked for while the bodies are held, so that some are refused and none takes the encoder's time.
    {
      every: 499,
      at: 50,
      send: ({ asked }) =>
        Array.from({ length: BURST }, () =>
          predict(url, { ...asked, profile: "nobody", inputs: "!".repeat(LARGE_BYTES) }),
        ),
    },
    { every: 97, at: 1, send: ({ asked }) => predict(url, { ...asked, inputs: textOf(512) }) },
    {
      every: 23,
      at: 0,
      send: ({ text, asked }) =>
        predictStream(url, `task=${asked.task}&profile=${asked.profile}`, [{ text }, { text: "" }, { text }]),
    },
    { every: 17, at: 0, send: () => predict(url, "{") },
    {
      every: 13,
      at: 2,
      send: ({ profile, asked }) =>
        ask(url, "PUT", pathOf(asked), { body: { masks: toBase64(profile.masks) }, key: adminKey }),
    },
    { every: 13, at: 3, send: ({ asked }) => ask(url, "GET", pathOf(asked), { key: adminKey }) },
    { every: 11, at: 0, send: ({ text, asked }) => predict(url, { ...asked, profile: "nobody", inputs: text }) },
    { every: 7, at: 1, send: (call) => byToken(call, masks) },
    { every: 7, at: 2, send: (call) => byToken(call, all) },
    {
      every: 7,
      at: 3,
      send: ({ text, asked }) => ask(url, "POST", `/v1/hf/${asked.task}/${asked.profile}`, { body: { inputs: text } }),
    },
    { every: 2, at: 0, send: ({ text, asked }) => predict(url, { ...asked, inputs: text, scores: true }) },
    { every: 1, at: 0, send: ({ text, asked }) => predict(url, { ...asked, inputs: text }) },
  ];
}

/** Calls of several kinds, mixed the same way at each run. */
function callsOf(worker: InspectedWorker, rows: Rows, statuses: Statuses, calls: number): Send[] {
  const [tokens, drawn] = [draws(3, MOST_TOKENS - 3), draws(4, PROFILES)];
  const kinds = kindsOf(worker, rows.task);
  return Array.from({ length: calls }, (_, number) => {
    const text = textOf(3 + tokens.next().value);
    const profile = rows.profiles[drawn.next().value];
    const kind = kinds.find(({ every, at }) => number % every === at);
    if (!profile || !kind) throw new RangeError(`There is no profile or kind for call ${number}.`);
    const call = { text, profile, asked: { task: rows.task.name, profile: profile.id } };
    return async () => {
      await Promise.all([kind.send(call)].flat().map((asked) => count(statuses, asked)));
    };
  });
}

export const soak: Bench = {
  name: "soak",
  about: "whether an isolate grows: its memory over thousands of calls of many kinds",
  async run({ quick, progress }) {
    const { calls, every } = quick ? { calls: 120, every: 30 } : { calls: 20_000, every: 1000 };
    const rows = await manyRows(TASKS, PROFILES);
    const [first] = rows;
    if (!first) throw new RangeError("There is no task.");
    return await withInspected(rows, async (worker) => {
      const table: Line[] = [];
      const used: number[] = [];
      const statuses: Statuses = {};
      const all = callsOf(worker, first, statuses, calls);
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
      onlyStatuses("A call", statuses, [200, 400, 404, 503]);
      if (!statuses[503]) throw new Error("No call was refused for want of room, and some were to be.");
      const growth = (used.at(-1) ?? Number.NaN) - (used[0] ?? Number.NaN);
      const half = used.length >> 1;
      const drift = (mean(used.slice(half)) ?? Number.NaN) - (mean(used.slice(1, half)) ?? Number.NaN);
      return {
        figures: {
          soak_growth_mb: { value: growth, unit: "MB", goal: { most: MOST_GROWTH_MEGABYTES } },
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
