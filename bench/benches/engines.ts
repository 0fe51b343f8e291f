import type { Bench, Figure, Row } from "../bench.ts";
import { writePacked } from "../engines/files.ts";
import { checkGolden } from "../engines/golden.ts";
import { inRounds } from "../rounds.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { TASKS } from "../variants/files.ts";
import { withWorker } from "../with-worker.ts";
import type { EngineName } from "../worker/engines.ts";
import { compareByLength } from "./by-length.ts";

const TOKENS = 32;
/** Folder of the data sets, which are not part of the project. */
const DATA = process.env.XPEFT_DATA ?? null;
const FULL = { folder: ".cache/bench/engines", data: DATA, rounds: 31, sampleMs: 150 };
const QUICK = { folder: ".cache/bench/engines-quick", data: null, rounds: 3, sampleMs: 20 };
const ENGINES: readonly EngineName[] = ["runtime", "kernels"];

export const engines: Bench = {
  name: "engines",
  description: "the encoder by kernels of its own / by ONNX Runtime: time, start, memory, agreement with fp32",
  async run({ quick, progress }) {
    const { folder, data, ...sampling } = quick ? QUICK : FULL;
    progress(0, 1, "packing the encoder");
    const agreement = await writePacked(folder, data);
    await checkGolden(folder);
    const folders = { folders: [folder] };
    const times = await withWorker(
      (worker) =>
        compareByLength(
          {
            figure: "engines",
            goals: quick ? { 8: null } : { 8: 0.3, 32: 0.4, 128: 0.5, 512: null },
            measure: (tokens) => worker.measure("engines", { tokens, ...sampling }),
            sides: ({ kernels, runtime }) => [kernels, runtime],
            columns: ({ kernels, runtime }) => ({ "kernels ms": medianOf(kernels), "runtime ms": medianOf(runtime) }),
          },
          progress,
        ),
      folders,
    );
    const starts = ENGINES.map((engine) => ({ engine, phases: [] as Phases[] }));
    for (const { item } of inRounds(starts, quick ? 1 : 9)) {
      const inNewIsolate = withWorker(
        (worker) => worker.measure("coldEngine", { engine: item.engine, tokens: TOKENS }),
        folders,
      );
      item.phases.push(await inNewIsolate);
    }
    const firsts = (name: EngineName) =>
      (starts.find(({ engine }) => engine === name)?.phases ?? []).map(({ create, first }) => create + first);
    const figures: Record<string, Figure> = {
      ...times.figures,
      engines_cold: {
        value: pairedRatio(firsts("kernels"), firsts("runtime")).median,
        unit: "x",
        goal: { most: 0.35 },
      },
    };
    const same = Object.entries(agreement).map(([task, found]): Row => {
      figures[`engines_same_${task}`] = { value: found.same, unit: "fraction", goal: { least: 0.985 } };
      return { agreement: task, texts: found.texts, "same label as fp32": found.same };
    });
    const skipped = TASKS.filter((task) => !agreement[task]).map(
      (task) => `agreement with fp32 on ${task}: no data. Set XPEFT_DATA to the folder of the data sets.`,
    );
    return { figures, table: [...times.table, ...starts.map(rowOf), ...same], skipped };
  },
};

/** Milliseconds and bytes of an engine in a new isolate. */
interface Phases {
  readonly files: number;
  readonly create: number;
  readonly first: number;
  readonly second: number;
  readonly bytes: number;
}

function rowOf({ engine, phases }: { engine: EngineName; phases: readonly Phases[] }): Row {
  const median = (phase: keyof Phases) => medianOf(phases.map((one) => one[phase]));
  return {
    engine,
    "files ms": median("files"),
    "create ms": median("create"),
    [`first ${TOKENS} tokens ms`]: median("first"),
    "second ms": median("second"),
    "WASM MB": median("bytes") / 1e6,
  };
}
