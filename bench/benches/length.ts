import type { Bench, Row } from "../bench.ts";
import { ENCODER } from "../graphs.ts";
import { linePlot } from "../plots.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { CACHED_ROWS, pushDemo, withWorker } from "../with-worker.ts";

const TOKENS = [8, 16, 32, 64, 128, 256];
const TEXTS = [1, 2, 4, 8, 16, 32];
/** The length that the others are compared with. */
const REFERENCE = 32;
/**
 * As many tokens in one run as eight reference texts have. One text attends over all of them, which is eight times the
 * attention of a batch of eight. So this is an upper bound of the batch's time.
 */
const JOINED = 8 * REFERENCE;

const LOG2 = { type: "log", base: 2 };
const plotOf = (table: readonly Row[]) =>
  linePlot(
    "An encoder run over one of 32 tokens",
    table.filter((row) => row.what === "tokens of a run"),
    { field: "of", title: "tokens", scale: LOG2 },
    { field: "ratio", scale: LOG2 },
  );

export const length: Bench = {
  name: "length",
  description: "time of a run by tokens, and of a request by texts",
  async run({ quick, progress }) {
    const sampling = quick ? { rounds: 2, sampleMs: 10 } : { rounds: 15, sampleMs: 300 };
    return await withWorker(async (worker) => {
      const { task, profiles } = await pushDemo(worker, 1);

      progress(0, 2, "tokens of a run");
      const runs = Object.fromEntries(TOKENS.map((tokens) => [tokens, { graph: ENCODER, tokens }]));
      const runTimes = await worker.measure("runs", { runs, ...sampling });
      progress(1, 2, "texts of a request");
      const common = {
        task: task.name,
        profiles: profiles.map(({ id }) => id),
        tokens: REFERENCE,
        texts: "new",
      } as const;
      const kinds = Object.fromEntries(TEXTS.map((texts) => [texts, { ...common, inputs: texts }]));
      const requestTimes = await worker.measure("requests", { kinds, ...sampling });

      const run = (tokens: number) => runTimes[tokens] ?? [];
      const perText = (texts: number) => (requestTimes[texts] ?? []).map((milliseconds) => milliseconds / texts);
      const row = (what: string, of: number, times: readonly number[], reference: readonly number[]): Row => {
        const ratio = pairedRatio(times, reference);
        return { what, of, ms: medianOf(times), ratio: ratio.median, "ratio p95": ratio.p95 };
      };
      const table = [
        ...TOKENS.map((tokens) => row("tokens of a run", tokens, run(tokens), run(REFERENCE))),
        ...TEXTS.map((texts) => row("texts of a request, a text", texts, perText(texts), perText(1))),
      ];
      const eightRuns = run(REFERENCE).map((milliseconds) => 8 * milliseconds);
      return {
        figures: {
          batch_joined: { value: pairedRatio(run(JOINED), eightRuns).median, unit: "x" },
          batch_32_per_text: { value: pairedRatio(perText(32), perText(1)).median, unit: "x" },
        },
        table,
        plots: { length: plotOf(table) },
      };
    }, CACHED_ROWS);
  },
};
