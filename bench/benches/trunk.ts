import type { Bench, Row } from "../bench.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { CACHED_ROWS, pushDemo, withWorker } from "../with-worker.ts";
import type { RequestKind } from "../worker/requests.ts";

const TOKENS = 32;
/** Inputs of a request with one text under many profiles. */
const PROFILES = 32;
/** Many times the profiles whose merged adapters are cached. */
const COLD_PROFILES = 1024;

export const trunk: Bench = {
  name: "trunk",
  description: "further profiles of a text, and texts that were read before / a prediction of a new text",
  async run({ quick, progress }) {
    const sampling = quick ? { rounds: 2, sampleMs: 20 } : { rounds: 31, sampleMs: 300 };
    return await withWorker(async (worker) => {
      progress(0, 1, `${TOKENS} tokens`);
      const { task, profiles } = await pushDemo(worker, COLD_PROFILES);
      const ids = profiles.map(({ id }) => id);
      const kind = (parts: Partial<RequestKind>): RequestKind => {
        return { task: task.name, profiles: ids.slice(0, 1), inputs: 1, tokens: TOKENS, texts: "new", ...parts };
      };
      const kinds = {
        unseen: kind({}),
        warm: kind({ profiles: ids.slice(0, PROFILES), inputs: PROFILES, texts: "one a request" }),
        cold: kind({ profiles: ids, inputs: PROFILES, texts: "one a request" }),
        hot: kind({ profiles: ids, texts: "known" }),
      };
      const times = await worker.measure("requests", { kinds, ...sampling });
      const { unseen = [], warm = [], cold = [], hot = [] } = times;
      const further = (all: readonly number[]) =>
        all.map((milliseconds, round) => (milliseconds - (unseen[round] ?? Number.NaN)) / (PROFILES - 1));
      const row = (what: string, milliseconds: readonly number[]): Row => {
        const { median, p95 } = pairedRatio(milliseconds, unseen);
        return { what, ms: medianOf(milliseconds), ratio: median, "ratio p95": p95 };
      };
      const ratioOf = (milliseconds: readonly number[]) => pairedRatio(milliseconds, unseen).median;
      return {
        figures: {
          fanout_warm: { value: ratioOf(further(warm)), unit: "x", goal: { most: 0.015 } },
          fanout_cold: { value: ratioOf(further(cold)), unit: "x", goal: { most: 0.03 } },
          hot_text: { value: ratioOf(hot), unit: "x", goal: { most: 0.25 } },
        },
        table: [
          row("a new text", unseen),
          row("each further profile, merged adapters cached", further(warm)),
          row("each further profile, merged adapters not cached", further(cold)),
          row("a text that was read before, another profile", hot),
        ],
      };
    }, CACHED_ROWS);
  },
};
