import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { createPush } from "../../src/storage/push.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import { databaseIn, openBeside, serveProcess } from "../../test/support/server.ts";
import { makeTempFolder, removeTempFolder } from "../../test/support/temp-folders.ts";
import { startWorker } from "../../test/support/worker.ts";
import type { Bench, BenchOptions, BenchResult, Figure } from "../bench.ts";
import { checkStatuses, countStatus, predict, type Statuses } from "../requests.ts";
import { inRounds } from "../rounds.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { newText } from "../texts.ts";
import { throughput } from "../throughput.ts";
import { pushDemo, stayOffline } from "../with-worker.ts";
import { type Sampling, sampleInRounds } from "../worker/sampling.ts";
import { compareByLength } from "./by-length.ts";

const MAX_TOKENS = 512;

/** Requests in flight, and tokens of their texts: long ones, as the sender shares the cores. */
const [CONCURRENCY, THROUGHPUT_TOKENS] = [8, 128];

/** Labels a new text under the same profile. @throws Error if it is not answered */
async function request(url: URL, tokens: number): Promise<void> {
  const statuses: Statuses = {};
  await countStatus(statuses, predict(url, { task: "demo", profile: "demo-000", inputs: newText(tokens) }));
  checkStatuses("One text", statuses, [200]);
}

/** A server that labels texts, until it is closed. */
interface Served {
  readonly url: URL;
  close(): Promise<unknown>;
}

/** Starts `xpeft serve` without limits. */
async function startNode(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const folder = await makeTempFolder("xpeft-bench-");
  const { client, db } = await openBeside(databaseIn(folder));
  await createPush(db)(taskFor(await readBundle(DEFAULT_BUNDLE), { maxTokens: MAX_TOKENS }), profilesOf(1));
  client.close();
  const unlimited = { XPEFT_PUBLIC_PREDICT: "true", XPEFT_RATE_LIMIT: "0", ...env };
  const { url, stop } = await serveProcess({ folder, args, env: unlimited });
  return { url: new URL(url), close: () => stop().finally(() => removeTempFolder(folder)) };
}

/** Starts the Worker. */
async function startWorkerd(engine: string): Promise<Served> {
  const worker = await startWorker({ vars: { ENGINE: engine } });
  await pushDemo(worker, 1, { maxTokens: MAX_TOKENS });
  return { url: worker.url, close: worker.close };
}

/** Starts servers one after the other, and closes all of them after the work. */
async function withServers<Name extends string, T>(
  starts: Readonly<Record<Name, () => Promise<Served>>>,
  work: (urls: Readonly<Record<Name, URL>>) => Promise<T>,
): Promise<T> {
  const started: [string, Served][] = [];
  try {
    for (const [name, start] of Object.entries<() => Promise<Served>>(starts)) started.push([name, await start()]);
    return await work(Object.fromEntries(started.map(([name, { url }]) => [name, url])) as Record<Name, URL>);
  } finally {
    await Promise.all(started.map(([, { close }]) => close()));
  }
}

/** Measures a request to each runtime and engine. */
function measureLatency(sampling: Sampling, progress: BenchOptions["progress"]): Promise<BenchResult> {
  const starts = {
    workerdWeb: () => startWorkerd("onnxruntime"),
    workerd: () => startWorkerd("auto"),
    web: () => startNode([], { XPEFT_ENGINE: "onnxruntime" }),
    native: () => startNode(["--native"]),
    node: () => startNode(),
  };
  return withServers(starts, (urls) =>
    compareByLength(
      {
        lengths: [8, 32, 128],
        measure: (tokens) =>
          sampleInRounds(
            {
              workerdWeb: () => request(urls.workerdWeb, tokens),
              workerd: () => request(urls.workerd, tokens),
              web: () => request(urls.web, tokens),
              native: () => request(urls.native, tokens),
              node: () => request(urls.node, tokens),
            },
            sampling,
          ),
        ratios: {
          node_web: { goals: { 8: 1, 32: 1, 128: 1 }, sides: (times) => [times.web, times.workerdWeb] },
          node_native: { goals: { 8: 0.4, 32: 0.4, 128: 0.4 }, sides: (times) => [times.native, times.workerdWeb] },
          node_kernels: { goals: { 8: 1, 32: 1, 128: 1 }, sides: (times) => [times.node, times.workerd] },
        },
        columns: (times) => ({
          "workerd, ORT Web ms": medianOf(times.workerdWeb),
          "Node, ORT Web ms": medianOf(times.web),
          "Node, native ms": medianOf(times.native),
          "workerd, kernels ms": medianOf(times.workerd),
          "Node, kernels ms": medianOf(times.node),
        }),
      },
      progress,
    ),
  );
}

/** Measures the throughput of two processes over that of one. */
function measureWorkers(rounds: number, requests: number): Promise<Figure> {
  return withServers({ one: () => startNode(), two: () => startNode(["--workers", "2"]) }, async ({ one, two }) => {
    const sides = [one, two].map((url) => ({ url, perSecond: [] as number[] }));
    const load = (url: URL) =>
      throughput(
        Array.from({ length: requests }, () => () => request(url, THROUGHPUT_TOKENS)),
        CONCURRENCY,
      );
    for (const { url } of sides) await load(url);
    for (const { item } of inRounds(sides, rounds)) item.perSecond.push(await load(item.url));
    const [single = [], double = []] = sides.map(({ perSecond }) => perSecond);
    return { value: pairedRatio(double, single).median, unit: "x", goal: { least: 1.7 } };
  });
}

export const runtimes: Bench = {
  name: "runtimes",
  description: "a request to xpeft serve / to workerd, and two processes / one",
  async run({ quick, progress }) {
    stayOffline();
    const { rounds, sampleMs, requests } = quick
      ? { rounds: 2, sampleMs: 20, requests: 8 }
      : { rounds: 11, sampleMs: 300, requests: 200 };
    const workers = await measureWorkers(quick ? 1 : 5, requests);
    const { figures, table } = await measureLatency({ rounds, sampleMs }, progress);
    return { figures: { ...figures, workers_2: workers }, table };
  },
};
