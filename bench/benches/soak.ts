import { mean } from "d3-array";
import type { TopLevelSpec } from "vega-lite";
import { toBase64 } from "../../src/lib/base64.ts";
import type { EngineChoice } from "../../src/model/trunk.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import type { Bench, Row } from "../bench.ts";
import { type InspectedWorker, usedBytes, withInspectedWorker } from "../memory/inspected-worker.ts";
import { createTasks } from "../memory/tasks.ts";
import { createSigner } from "../profile-tokens.ts";
import { createDraw } from "../random.ts";
import { checkStatuses, countStatus, predict, type Statuses, send } from "../requests.ts";
import { MEGABYTE } from "../statistics.ts";
import { newText } from "../texts.ts";
import { type Send, throughput } from "../throughput.ts";
import type { TaskRows } from "../with-worker.ts";

const CONCURRENCY = 4;
const TASKS = 4;
const PROFILES = 500;
const MAX_TOKENS = 48;

const LARGE_BYTES = 255 * 1024;
/** Simultaneous requests with a large body: more than the Worker accepts. */
const BURST = 24;

/** What every call has: a short text and a profile. */
interface Call {
  readonly text: string;
  readonly profile: NewProfile;
  readonly target: { readonly task: string; readonly profile: string };
}

/** Calls of a kind: every call whose number is `offset` modulo `every`. */
interface Kind {
  readonly every: number;
  readonly offset: number;
  call(call: Call): Promise<Response> | readonly Promise<Response>[];
}

/** Returns the kinds of calls. A call is of the first kind that fits. Together they get every kind of response. */
function createKinds({ url, adminKey: key }: InspectedWorker, task: NewTask): Kind[] {
  const [signMasks, signAll] = [createSigner(task, "profile"), createSigner(task, "all")];
  const predictByToken = async ({ text, profile, target }: Call, sign: typeof signMasks) =>
    predict(url, { ...target, inputs: text }, { key: await sign(profile) });
  const pathOf = ({ task, profile }: Call["target"]) => `/v1/profiles/${task}/${profile}`;
  const unknown = { task: task.name, profile: "nobody" };
  // The bodies stay in memory while the unknown profile is looked up. Some are rejected, and none uses the encoder.
  const burst = () =>
    Array.from({ length: BURST }, () => predict(url, { ...unknown, inputs: "!".repeat(LARGE_BYTES) }));
  const stream = ({ text, target }: Call) => {
    const lines = [{ text }, { text: "" }, { text }].map((line) => `${JSON.stringify(line)}\n`);
    const path = `/v1/predict/stream?task=${target.task}&profile=${target.profile}`;
    return send(url, "POST", path, { body: lines.join(""), contentType: "application/x-ndjson" });
  };
  const huggingFace = ({ text, target }: Call) =>
    send(url, "POST", `/v1/hf/${target.task}/${target.profile}`, { body: { inputs: text } });
  const write = ({ profile, target }: Call) =>
    send(url, "PUT", pathOf(target), { body: { masks: toBase64(profile.masks) }, key });
  return [
    { every: 499, offset: 50, call: burst },
    { every: 97, offset: 1, call: ({ target }) => predict(url, { ...target, inputs: newText(512) }) },
    { every: 23, offset: 0, call: stream },
    { every: 17, offset: 0, call: () => predict(url, "{") },
    { every: 13, offset: 2, call: write },
    { every: 13, offset: 3, call: ({ target }) => send(url, "GET", pathOf(target), { key }) },
    { every: 11, offset: 0, call: ({ text }) => predict(url, { ...unknown, inputs: text }) },
    { every: 7, offset: 1, call: (call) => predictByToken(call, signMasks) },
    { every: 7, offset: 2, call: (call) => predictByToken(call, signAll) },
    { every: 7, offset: 3, call: huggingFace },
    { every: 2, offset: 0, call: ({ text, target }) => predict(url, { ...target, inputs: text, scores: true }) },
    { every: 1, offset: 0, call: ({ text, target }) => predict(url, { ...target, inputs: text }) },
  ];
}

/** Returns calls of all kinds, the same in every run. */
function createCalls(worker: InspectedWorker, rows: TaskRows, statuses: Statuses, calls: number): Send[] {
  const [drawTokens, drawProfile] = [createDraw(3, MAX_TOKENS - 3), createDraw(4, PROFILES)];
  const kinds = createKinds(worker, rows.task);
  return Array.from({ length: calls }, (_, number) => {
    const text = newText(3 + drawTokens());
    const profile = rows.profiles[drawProfile()];
    const kind = kinds.find(({ every, offset }) => number % every === offset);
    if (!profile || !kind) throw new RangeError(`There is no profile or kind for call ${number}.`);
    const call = { text, profile, target: { task: rows.task.name, profile: profile.id } };
    return async () => {
      await Promise.all([kind.call(call)].flat().map((sent) => countStatus(statuses, sent)));
    };
  });
}

const plotOf = (table: readonly Row[]): TopLevelSpec => ({
  title: "Memory in use after so many calls, garbage collected",
  data: { values: [...table] },
  transform: [{ fold: ["WASM MB", "JS in use MB", "outside MB"], as: ["part", "MB"] }],
  mark: "area",
  encoding: {
    x: { field: "calls", type: "quantitative" },
    y: { field: "MB", type: "quantitative", stack: "zero" },
    color: { field: "part", type: "nominal", title: null },
    row: { field: "engine", type: "nominal", title: null },
  },
});

/** What 20,000 calls leave on one engine. */
interface Soaked {
  readonly table: readonly Row[];
  /** MB in use after the last call, minus MB after the first thousand. */
  readonly growth: number;
  /** Mean MB in use in the second half, minus that in the first half without its first sample. */
  readonly drift: number;
}

/** Sends all calls to a Worker with this engine, and measures its memory after each part of them. */
async function soakEngine(
  engine: EngineChoice,
  { calls, every }: { readonly calls: number; readonly every: number },
  progress: (done: number) => void,
): Promise<Soaked> {
  const rows = await createTasks(TASKS, PROFILES);
  const [first] = rows;
  if (!first) throw new RangeError("There is no task.");
  const soaked = async (worker: InspectedWorker) => {
    const table: Row[] = [];
    const used: number[] = [];
    const statuses: Statuses = {};
    const all = createCalls(worker, first, statuses, calls);
    for (let done = 0; done < calls; done += every) {
      progress(done);
      await throughput(all.slice(done, done + every), CONCURRENCY);
      const memory = await worker.inUse();
      used.push(usedBytes(memory) / MEGABYTE);
      table.push({
        engine,
        calls: done + every,
        "WASM MB": memory.wasm / MEGABYTE,
        "JS in use MB": memory.used / MEGABYTE,
        "JS heap MB": memory.heap / MEGABYTE,
        "outside MB": memory.outside / MEGABYTE,
      });
    }
    checkStatuses("A call", statuses, [200, 400, 404, 503]);
    if (!statuses[503]) throw new Error("No call was rejected at capacity. The bursts are too small.");
    const half = used.length >> 1;
    return {
      table,
      growth: (used.at(-1) ?? Number.NaN) - (used[0] ?? Number.NaN),
      drift: (mean(used.slice(half)) ?? Number.NaN) - (mean(used.slice(1, half)) ?? Number.NaN),
    };
  };
  return await withInspectedWorker(rows, soaked, engine);
}

export const soak: Bench = {
  name: "soak",
  description: "growth of an isolate's memory over thousands of calls of many kinds, on both engines",
  async run({ quick, progress }) {
    const size = quick ? { calls: 120, every: 30 } : { calls: 20_000, every: 1000 };
    const total = 2 * size.calls;
    const kernels = await soakEngine("auto", size, (done) => progress(done, total, "calls"));
    const ort = await soakEngine("onnxruntime", size, (done) => progress(size.calls + done, total, "calls"));
    const table = [...kernels.table, ...ort.table];
    return {
      figures: {
        soak_growth_mb: { value: kernels.growth, unit: "MB", goal: { most: 2 } },
        soak_drift_mb: { value: kernels.drift, unit: "MB" },
        soak_onnxruntime_growth_mb: { value: ort.growth, unit: "MB", goal: { most: 2 } },
        soak_onnxruntime_drift_mb: { value: ort.drift, unit: "MB" },
      },
      table,
      plots: { soak: plotOf(table) },
    };
  },
};
