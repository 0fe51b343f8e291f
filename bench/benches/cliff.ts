import { readBundle } from "../../node/files.ts";
import type { TokenContents } from "../../src/auth/profile-token.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import type { Bench, Figure, Line } from "../bench.ts";
import { BUNDLE } from "../graphs.ts";
import { type BenchWorker, withWorker } from "../isolate.ts";
import { draws, type Send, throughput } from "../load.ts";
import { ratioOf, spreadOf } from "../statistics.ts";
import { textOf } from "../texts.ts";
import { signerOf } from "../tokens.ts";

const TOKENS = 32;
/** Requests under way at any time: enough that the Worker never waits for the next. */
const AT_A_TIME = 4;

type Rows = { readonly task: ReturnType<typeof taskFor>; readonly profiles: ReturnType<typeof profilesOf> };

/** A request as the profile of a number. */
type AsProfile = (profile: number) => Promise<Send>;

/** Ways in which masks come to a prediction. */
const WAYS = {
  // A service that predicts for a profile again and again sends 0.6 kB a time this way, not 7: the head is in the isolate.
  "token, masks": { figure: "cliff_token", goal: { least: 0.95 }, as: byToken("masks") },
  "token, all": { figure: "cliff_token_all", goal: undefined, as: byToken("all") },
  D1: { figure: "cliff_d1", goal: { least: 0.85 }, as: byKey },
};

function send(worker: BenchWorker, profile: string, key: string): Send {
  const body = JSON.stringify({ task: "demo", profile, inputs: textOf(TOKENS) });
  return async () => {
    const response = await worker.predict(body, { key });
    const answer = await response.text();
    if (!response.ok) throw new Error(`The Worker answered ${response.status}: ${answer}`);
  };
}

function byToken(carry: TokenContents): (worker: BenchWorker, rows: Rows) => AsProfile {
  return (worker, { task, profiles }) => {
    const sign = signerOf(task, carry);
    return async (number) => {
      const profile = profiles[number];
      if (!profile) throw new RangeError(`There is no profile ${number}.`);
      return send(worker, profile.id, await sign(profile));
    };
  };
}

function byKey(worker: BenchWorker, { profiles }: Rows): AsProfile {
  return async (number) => send(worker, profiles[number]?.id ?? "", worker.adminKey);
}

const plotOf = (table: readonly Line[]) => ({
  title: "Throughput over that with one active profile",
  data: { values: [...table] },
  layer: [
    {
      mark: { type: "line" as const, point: true },
      encoding: {
        x: {
          field: "profiles",
          type: "quantitative" as const,
          scale: { type: "log" as const },
          title: "active profiles",
        },
        y: { field: "ratio", type: "quantitative" as const, scale: { domain: [0, 1.1] }, title: "ratio" },
        color: { field: "masks by", type: "nominal" as const },
      },
    },
  ],
});

export const cliff: Bench = {
  name: "cliff",
  about: "throughput with many active profiles, over that with one",
  async run({ quick, progress }) {
    const counts = quick ? [1, 200] : [1, 10, 100, 1000, 10_000];
    const { turns, requests } = quick ? { turns: 2, requests: 10 } : { turns: 12, requests: 40 };
    const most = Math.max(...counts);
    const profiles = profilesOf(most);
    const task = taskFor(await readBundle(BUNDLE));
    return await withWorker(async (worker) => {
      await worker.push(task, profiles);
      const ways = Object.entries(WAYS).map(([way, { figure, goal, as }]) => ({
        way,
        figure: { name: figure, goal },
        asProfile: as(worker, { task, profiles }),
        rates: new Map(counts.map((count) => [count, [] as number[]])),
      }));
      const sendAs = async (asProfile: AsProfile, next: () => number) =>
        await throughput(await Promise.all(Array.from({ length: requests }, () => asProfile(next()))), AT_A_TIME);
      // Warm-up: the isolate loads the encoder, and compiles what it runs often.
      for (const { asProfile } of ways) await sendAs(asProfile, () => 0);
      for (let turn = 0; turn < turns; turn++) {
        for (const [done, { way, asProfile, rates }] of ways.entries()) {
          progress(turn * ways.length + done, turns * ways.length, way);
          for (const [place, count] of (turn % 2 === 0 ? counts : counts.toReversed()).entries()) {
            const drawn = draws(turn * counts.length + place, count);
            rates.get(count)?.push(await sendAs(asProfile, () => drawn.next().value));
          }
        }
      }
      const figures: Record<string, Figure> = {};
      const table: Line[] = [];
      for (const { way, figure, rates } of ways) {
        const one = rates.get(1) ?? [];
        for (const [count, many] of rates) {
          const ratio = ratioOf(many, one).median;
          table.push({ "masks by": way, profiles: count, "requests/s": spreadOf(many).median, ratio });
          if (count === most) {
            figures[figure.name] = { value: ratio, unit: "x", ...(figure.goal && { goal: figure.goal }) };
          }
        }
      }
      return { figures, table, plots: { cliff: plotOf(table) } };
    });
  },
};
