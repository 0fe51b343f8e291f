import type { Bench, Line } from "../bench.ts";
import { EMPTY, ENCODER } from "../graphs.ts";
import { withWorker } from "../isolate.ts";
import { ratioOf, spreadOf } from "../statistics.ts";
import type { ColdPhases } from "../worker/cold.ts";

const TOKENS = 32;
const GOAL = 1.5;

const inNewIsolate = (graph: typeof ENCODER | typeof EMPTY, tokens: number | null): Promise<ColdPhases> =>
  withWorker((worker) => worker.measure("cold", { graph, tokens }));

export const cold: Bench = {
  name: "cold",
  about: "from an empty isolate to a session, over an empty ONNX Runtime and one copy of the weights",
  async run({ quick, progress }) {
    const rounds = quick ? 1 : 15;
    const encoders: ColdPhases[] = [];
    const empties: ColdPhases[] = [];
    for (let round = 0; round < rounds; round++) {
      progress(round, rounds, "isolates");
      encoders.push(await inNewIsolate(ENCODER, TOKENS));
      empties.push(await inNewIsolate(EMPTY, null));
    }
    const least = empties.map(({ session }, round) => session + (encoders[round]?.copy ?? Number.NaN));
    const ratio = ratioOf(
      encoders.map(({ session }) => session),
      least,
    );
    const line = (what: string, numbers: readonly number[]): Line => {
      const { median, p95 } = spreadOf(numbers);
      return { phase: what, "median ms": median, "p95 ms": p95 };
    };
    const of = (phase: keyof ColdPhases) => encoders.map((phases) => phases[phase]);
    return {
      figures: { cold_session: { value: ratio.median, unit: "x", goal: { most: GOAL } } },
      table: [
        line("read the files", of("fetch")),
        line("ONNX Runtime and the encoder's session", of("session")),
        line(
          "ONNX Runtime and an empty graph's session",
          empties.map(({ session }) => session),
        ),
        line("one copy of the weights", of("copy")),
        line(`first run, ${TOKENS} tokens`, of("first")),
        line("second run", of("second")),
      ],
    };
  },
};
