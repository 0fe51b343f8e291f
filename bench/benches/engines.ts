import { readBundle } from "../../node/files.ts";
import type { EngineName } from "../../src/model/trunk.ts";
import type { Bench, Figure, Row } from "../bench.ts";
import { measureAgreement } from "../engines/agreement.ts";
import { openNodeEngines } from "../engines/native.ts";
import { BUNDLE } from "../graphs.ts";
import { inRounds } from "../rounds.ts";
import { medianOf, pairedRatio } from "../statistics.ts";
import { TASKS } from "../variants/files.ts";
import { withWorker } from "../with-worker.ts";
import { compareByLength } from "./by-length.ts";

const TOKENS = 32;
/** Folder of the data sets, which are not part of the project. */
const DATA = process.env.XPEFT_DATA ?? null;
const FULL = { data: DATA, slices: 5, rounds: 7, sampleMs: 150 };
const QUICK = { data: null, slices: 1, rounds: 3, sampleMs: 20 };
const ENGINES: readonly EngineName[] = ["onnxruntime", "kernels"];

export const engines: Bench = {
  name: "engines",
  description:
    "the encoder by the kernels / by ONNX Runtime, Web and native / its int8 products alone: time, start, memory, agreement with fp32",
  async run({ quick, progress }) {
    const { data, slices, ...sampling } = quick ? QUICK : FULL;
    const { layers, hidden } = (await readBundle(BUNDLE)).manifest;
    // Query, key and value; attention output; feed-forward up and down.
    const products = [
      [hidden, 3 * hidden],
      [hidden, hidden],
      [hidden, 4 * hidden],
      [4 * hidden, hidden],
    ] as const;
    const floor = { layers, products };
    const operations = 2 * layers * products.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
    const agreement = data === null ? {} : await measureAgreement(data);
    const node = await openNodeEngines();
    const times = await withWorker((worker) =>
      compareByLength(
        {
          lengths: quick ? [8] : [8, 32, 128, 512],
          // Slices in the Worker and in this process alternate, so a disturbance of the machine affects both.
          measure: (tokens) =>
            measureInSlices(slices, async () => ({
              ...(await worker.measure("engines", { tokens, floor, ...sampling })),
              ...(await node.measure(tokens, sampling)),
            })),
          ratios: {
            trunk: {
              goals: { 8: 0.3, 32: 0.4, 128: 0.5 },
              sides: ({ kernels, onnxruntime }) => [kernels, onnxruntime],
            },
            floor: { goals: { 8: 2.2, 32: 1.6 }, sides: ({ kernels, products }) => [kernels, products] },
            native_workerd: {
              goals: { 8: 0.4, 32: 0.4, 128: 0.4 },
              sides: ({ native, onnxruntime }) => [native, onnxruntime],
            },
            native_web: { goals: {}, sides: ({ native, web }) => [native, web] },
            native_kernels: { goals: {}, sides: ({ native, nodeKernels }) => [native, nodeKernels] },
            native_threads: { goals: {}, sides: ({ native2, native }) => [native2, native] },
          },
          columns: ({ kernels, onnxruntime, products, native, web, nodeKernels }, tokens) => ({
            "kernels ms": medianOf(kernels),
            "ONNX Runtime ms": medianOf(onnxruntime),
            "products ms": medianOf(products),
            "products GOP/s": (operations * tokens) / medianOf(products) / 1e6,
            "native ms": medianOf(native),
            "ONNX Runtime in Node ms": medianOf(web),
            "kernels in Node ms": medianOf(nodeKernels),
          }),
        },
        progress,
      ),
    );
    const starts = ENGINES.map((engine) => ({ engine, phases: [] as Phases[] }));
    for (const { item } of inRounds(starts, quick ? 1 : 9)) {
      const inNewIsolate = withWorker((worker) =>
        worker.measure("coldEngine", { engine: item.engine, tokens: TOKENS }),
      );
      item.phases.push(await inNewIsolate);
    }
    const firsts = (name: EngineName) =>
      (starts.find(({ engine }) => engine === name)?.phases ?? []).map(({ create, first }) => create + first);
    const figures: Record<string, Figure> = {
      ...times.figures,
      cold_kernels: {
        value: pairedRatio(firsts("kernels"), firsts("onnxruntime")).median,
        unit: "x",
        goal: { most: 0.35 },
      },
    };
    const same = Object.entries(agreement).map(([task, found]): Row => {
      figures[`same_label_${task}`] = { value: found.same, unit: "fraction", goal: { least: 0.985 } };
      return { agreement: task, texts: found.texts, "same label as fp32": found.same };
    });
    const skipped = TASKS.filter((task) => !agreement[task]).map(
      (task) => `agreement with fp32 on ${task}: no data. Set XPEFT_DATA to the folder of the data sets.`,
    );
    return { figures, table: [...times.table, ...starts.map(rowOf), ...same], skipped };
  },
};

/** Returns the samples of several measurements of the same candidates, joined by name. */
async function measureInSlices<Name extends string>(
  slices: number,
  measure: () => Promise<Readonly<Record<Name, number[]>>>,
): Promise<Record<Name, number[]>> {
  const joined = { ...(await measure()) };
  for (let slice = 1; slice < slices; slice++) {
    for (const [name, times] of Object.entries<number[]>(await measure())) joined[name as Name].push(...times);
  }
  return joined;
}

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
