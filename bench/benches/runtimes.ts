import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { createPush } from "../../src/storage/push.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import { databaseIn, openBeside, type ServeProcess, serveProcess } from "../../test/support/server.ts";
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

/** Starts `xpeft serve` without limits, and passes it to `use`. */
async function withServer<T>(
  options: { args?: readonly string[]; env?: NodeJS.ProcessEnv },
  use: (server: ServeProcess) => Promise<T>,
): Promise<T> {
  const folder = await makeTempFolder("xpeft-bench-");
  const { client, db } = await openBeside(databaseIn(folder));
  await createPush(db)(taskFor(await readBundle(DEFAULT_BUNDLE), { maxTokens: MAX_TOKENS }), profilesOf(1));
  client.close();
  const env = { XPEFT_PUBLIC_PREDICT: "true", XPEFT_RATE_LIMIT: "0", ...options.env };
  const server = await serveProcess({ folder, ...options, env });
  try {
    return await use(server);
  } finally {
    await server.stop();
    await removeTempFolder(folder);
  }
}

/** Starts the Worker, and passes its address to `use`. */
async function withWorkerd<T>(engine: string, use: (url: URL) => Promise<T>): Promise<T> {
  const worker = await startWorker({ vars: { ENGINE: engine } });
  try {
    await pushDemo(worker, 1, { maxTokens: MAX_TOKENS });
    return await use(worker.url);
  } finally {
    await worker.close();
  }
}

/** Measures a request to each runtime and engine. */
function measureLatency(sampling: Sampling, progress: BenchOptions["progress"]): Promise<BenchResult> {
  const onnxruntime = { env: { XPEFT_ENGINE: "onnxruntime" } };
  return withWorkerd("onnxruntime", (workerdWeb) =>
    withWorkerd("auto", (workerd) =>
      withServer(onnxruntime, (web) =>
        withServer({ args: ["--native"] }, (native) =>
          withServer({}, (node) =>
            compareByLength(
              {
                lengths: [8, 32, 128],
                measure: (tokens) =>
                  sampleInRounds(
                    {
                      workerdWeb: () => request(workerdWeb, tokens),
                      workerd: () => request(workerd, tokens),
                      web: () => request(new URL(web.url), tokens),
                      native: () => request(new URL(native.url), tokens),
                      node: () => request(new URL(node.url), tokens),
                    },
                    sampling,
                  ),
                ratios: {
                  node_web: { goals: { 8: 1, 32: 1, 128: 1 }, sides: (times) => [times.web, times.workerdWeb] },
                  node_native: {
                    goals: { 8: 0.4, 32: 0.4, 128: 0.4 },
                    sides: (times) => [times.native, times.workerdWeb],
                  },
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
          ),
        ),
      ),
    ),
  );
}

/** Measures the throughput of two processes over that of one. */
async function measureWorkers(rounds: number, requests: number): Promise<Figure> {
  return await withServer({}, (one) =>
    withServer({ args: ["--workers", "2"] }, async (two) => {
      const sides = [one, two].map(({ url }) => ({ url: new URL(url), perSecond: [] as number[] }));
      const load = (url: URL) =>
        throughput(
          Array.from({ length: requests }, () => () => request(url, THROUGHPUT_TOKENS)),
          CONCURRENCY,
        );
      for (const { url } of sides) await load(url);
      for (const { item } of inRounds(sides, rounds)) item.perSecond.push(await load(item.url));
      const [single = [], double = []] = sides.map(({ perSecond }) => perSecond);
      return { value: pairedRatio(double, single).median, unit: "x", goal: { least: 1.7 } };
    }),
  );
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
