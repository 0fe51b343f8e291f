import type { TokenContents } from "../../src/auth/profile-token.ts";
import type { Bench, Figure, Goal, Row } from "../bench.ts";
import { linePlot } from "../plots.ts";
import { createSigner } from "../profile-tokens.ts";
import { createDraw } from "../random.ts";
import { inRounds } from "../rounds.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { newText } from "../texts.ts";
import { type Send, throughput } from "../throughput.ts";
import { type BenchWorker, pushDemo, type TaskRows, withWorker } from "../with-worker.ts";

const TOKENS = 32;
/** Enough that the Worker never waits for a request. */
const CONCURRENCY = 4;

/** Returns requests of random profiles. `draw` returns the number of a profile. */
type CreateRequests = (count: number, draw: () => number) => Promise<Send[]>;

/** A way in which a request's masks reach the Worker. */
interface MaskSource {
  readonly name: string;
  readonly figure: string;
  readonly goal?: Goal;
  /** Contents of the profile token; without it the Worker reads D1. */
  readonly carry?: TokenContents;
}

const SOURCES: readonly MaskSource[] = [
  // A service that predicts repeatedly for a profile sends 0.6 kB, not 7: the isolate caches the head.
  { name: "token, masks", figure: "active_profiles_token", goal: { least: 0.95 }, carry: "profile" },
  { name: "token, all", figure: "active_profiles_token_all", carry: "all" },
  { name: "D1", figure: "active_profiles_d1", goal: { least: 0.85 } },
];

function createRequests(worker: BenchWorker, { task, profiles }: TaskRows, carry?: TokenContents): CreateRequests {
  const sign = carry ? createSigner(task, carry) : async () => worker.adminKey;
  const createRequest = async (number: number): Promise<Send> => {
    const profile = profiles[number];
    if (!profile) throw new RangeError(`There is no profile number ${number}.`);
    const body = JSON.stringify({ task: task.name, profile: profile.id, inputs: newText(TOKENS) });
    const key = await sign(profile);
    return async () => {
      const response = await worker.predict(body, { key });
      const text = await response.text();
      if (!response.ok) throw new Error(`The Worker answered ${response.status}: ${text}`);
    };
  };
  return (count, draw) => Promise.all(Array.from({ length: count }, () => createRequest(draw())));
}

export const activeProfiles: Bench = {
  name: "active-profiles",
  description: "throughput with many active profiles / with one",
  async run({ quick, progress }) {
    const counts = quick ? [1, 200] : [1, 10, 100, 1000, 10_000];
    const { rounds, requests } = quick ? { rounds: 2, requests: 10 } : { rounds: 12, requests: 40 };
    const most = Math.max(...counts);
    return await withWorker(async (worker) => {
      const rows = await pushDemo(worker, most);
      const sources = SOURCES.map((source) => ({
        ...source,
        create: createRequests(worker, rows, source.carry),
        rates: new Map(counts.map((count) => [count, [] as number[]])),
      }));
      // Warm-up: the isolate loads the encoder and compiles its hot code.
      for (const { create } of sources) await throughput(await create(requests, () => 0), CONCURRENCY);
      const cases = counts.flatMap((count) => sources.map((source) => ({ count, ...source })));
      let done = 0;
      for (const { round, item } of inRounds(cases, rounds)) {
        progress(done++, rounds * cases.length, `${item.name}, ${item.count} profiles`);
        const draw = createDraw(round * (most + 1) + item.count, item.count);
        item.rates.get(item.count)?.push(await throughput(await item.create(requests, draw), CONCURRENCY));
      }
      const figures: Record<string, Figure> = {};
      const table: Row[] = [];
      for (const { name, figure, goal, rates } of sources) {
        for (const [count, rate] of rates) {
          const ratio = pairedRatio(rate, rates.get(1) ?? []).median;
          table.push({ "masks by": name, profiles: count, "requests/s": medianOf(rate), ratio });
          if (count === most) figures[figure] = { value: ratio, unit: "x", goal };
        }
      }
      const plot = linePlot(
        "Throughput over that with one active profile",
        table,
        { field: "profiles", title: "active profiles", scale: { type: "log" } },
        { field: "ratio", scale: { domain: [0, 1.1] } },
        "masks by",
      );
      return { figures, table, plots: { "active-profiles": plot } };
    });
  },
};
