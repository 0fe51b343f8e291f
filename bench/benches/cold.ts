import type { Bench, Row } from "../bench.ts";
import { EMPTY, ENCODER } from "../graphs.ts";
import { pairedRatio, quantilesOf } from "../statistics.ts";
import { withWorker } from "../with-worker.ts";
import type { ColdParams, ColdPhases } from "../worker/cold.ts";

const TOKENS = 32;

const inNewIsolate = (params: ColdParams): Promise<ColdPhases> =>
  withWorker((worker) => worker.measure("cold", params));

export const cold: Bench = {
  name: "cold",
  description: "opening the encoder in a new isolate / an empty session and one copy of the weights",
  async run({ quick, progress }) {
    const rounds = quick ? 1 : 15;
    const encoders: ColdPhases[] = [];
    const empty: ColdPhases[] = [];
    for (let round = 0; round < rounds; round++) {
      progress(round, rounds, "isolates");
      encoders.push(await inNewIsolate({ graph: ENCODER, tokens: TOKENS }));
      empty.push(await inNewIsolate({ graph: EMPTY, tokens: null }));
    }
    const times = (phase: keyof ColdPhases, isolates = encoders) => isolates.map((phases) => phases[phase]);
    const copies = times("copy");
    const lowerBounds = times("session", empty).map((session, round) => session + (copies[round] ?? Number.NaN));
    const row = (phase: string, samples: readonly number[]): Row => {
      const { median, p95 } = quantilesOf(samples);
      return { phase, "median ms": median, "p95 ms": p95 };
    };
    return {
      figures: {
        cold_session: { value: pairedRatio(times("session"), lowerBounds).median, unit: "x", goal: { most: 1.5 } },
      },
      table: [
        row("read the files", times("fetch")),
        row("ONNX Runtime and the encoder's session", times("session")),
        row("ONNX Runtime and an empty graph's session", times("session", empty)),
        row("one copy of the weights", copies),
        row(`first run, ${TOKENS} tokens`, times("first")),
        row("second run", times("second")),
      ],
    };
  },
};
