import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import type { Bench, Figure, Line } from "../bench.ts";
import { BUNDLE, ENCODER } from "../graphs.ts";
import { ROWS_KEPT, withWorker } from "../isolate.ts";
import { ratioOf, type Spread, spreadOf } from "../statistics.ts";
import { textOf } from "../texts.ts";

const TOKENS = [8, 16, 32, 64, 128, 256];
const TEXTS = [1, 2, 4, 8, 16, 32];
/** What the others are held against. */
const USUAL = 32;
/**
 * As many tokens in one run as eight usual texts have. They are one text's here, which attends over all of them: eight times
 * the attention of a batch of eight, so what this takes is an upper bound of what the batch would.
 */
const JOINED = 8 * USUAL;

const plotOf = (table: readonly Line[]) => ({
  title: "An encoder run over one of 32 tokens",
  data: { values: table.filter((line) => line.what === "tokens of a run") },
  mark: { type: "line" as const, point: true },
  encoding: {
    x: { field: "of", type: "quantitative" as const, scale: { type: "log" as const, base: 2 }, title: "tokens" },
    y: { field: "ratio", type: "quantitative" as const, scale: { type: "log" as const, base: 2 }, title: "ratio" },
  },
});

export const length: Bench = {
  name: "length",
  about: "what a run costs by its tokens, and a request by its texts",
  async run({ quick, progress }) {
    const patience = quick ? { rounds: 2, turnMs: 10 } : { rounds: 15, turnMs: 300 };
    return await withWorker(async (worker) => {
      const task = taskFor(await readBundle(BUNDLE));
      const [profile] = profilesOf(1);
      if (!profile) throw new RangeError("There is no profile.");
      await worker.push(task, [profile]);

      progress(0, 2, "tokens of a run");
      const runs = await worker.measure("lengths", { graph: ENCODER, tokens: TOKENS, ...patience });
      progress(1, 2, "texts of a request");
      const inputs = (texts: number) => Array(texts).fill(textOf(USUAL));
      const bodies = Object.fromEntries(
        TEXTS.map((texts) => [texts, JSON.stringify({ task: task.name, profile: profile.id, inputs: inputs(texts) })]),
      );
      const requests = await worker.measure("batches", { bodies, ...patience });

      const times = (found: Record<string, number[]>, key: number) => found[key] ?? [];
      const line = (what: string, of: number, milliseconds: readonly number[], { median, p95 }: Spread): Line => ({
        what,
        of,
        ms: spreadOf(milliseconds).median,
        ratio: median,
        "ratio p95": p95,
      });
      const perText = (texts: number) => times(requests, texts).map((milliseconds) => milliseconds / texts);
      const table = [
        ...TOKENS.map((tokens) =>
          line("tokens of a run", tokens, times(runs, tokens), ratioOf(times(runs, tokens), times(runs, USUAL))),
        ),
        ...TEXTS.map((texts) =>
          line("texts of a request, a text", texts, perText(texts), ratioOf(perText(texts), perText(1))),
        ),
      ];
      const eightAlone = times(runs, USUAL).map((milliseconds) => 8 * milliseconds);
      const figures: Record<string, Figure> = {
        batch_joined: { value: ratioOf(times(runs, JOINED), eightAlone).median, unit: "x" },
        batch_32_per_text: { value: ratioOf(perText(32), perText(1)).median, unit: "x" },
      };
      return { figures, table, plots: { length: plotOf(table) } };
    }, ROWS_KEPT);
  },
};
