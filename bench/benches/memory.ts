import { count, onlyStatuses, predict, type Statuses, waitingTokens } from "../asking.ts";
import type { Bench, Figure, Line } from "../bench.ts";
import { draws } from "../load.ts";
import {
  type InspectedWorker,
  type IsolateMemory,
  MOST_MEGABYTES,
  usedOf,
  wholeOf,
  withInspected,
} from "../memory/inspected.ts";
import { manyRows, profileOf } from "../memory/rows.ts";
import { MEGABYTE } from "../statistics.ts";
import { textOf } from "../texts.ts";

/** Texts of a request at most. */
const MOST_INPUTS = 64;
const MOST_BODY_BYTES = 256 * 1024;
/** Requests with the largest body at once: more than are let in. */
const BODIES = 24;

/** Steps of a Worker's life by name, each after the one before. */
function stepsOf(
  worker: InspectedWorker,
  { tasks, profiles, calls }: { tasks: number; profiles: number; calls: number },
) {
  const asked = async (bodies: readonly object[], allowed: readonly number[] = [200]) => {
    const statuses: Statuses = {};
    for (const body of bodies) await count(statuses, predict(worker.url, body));
    onlyStatuses("A prediction", statuses, allowed);
  };
  return {
    load: worker.load,
    // An empty text is found when all rows have been read and before the encoder runs.
    "rows of all tasks and profiles read": async () => {
      const names = Array.from({ length: tasks }, (_, index) => `task-${index}`);
      await asked(
        names.map((task) => ({ task, profile: profileOf(0), inputs: "" })),
        [422],
      );
      const groups = Array.from({ length: Math.ceil(profiles / MOST_INPUTS) }, (_, group) =>
        Array.from({ length: MOST_INPUTS }, (_, one) => ({
          profile: profileOf((group * MOST_INPUTS + one) % profiles),
          text: "",
        })),
      );
      await asked(
        groups.map((inputs) => ({ task: "task-0", inputs })),
        [422],
      );
    },
    [`${calls} mixed predictions`]: async () => {
      const [tokens, profile] = [draws(1, 125), draws(2, profiles)];
      await asked(
        Array.from({ length: calls }, (_, call) => {
          const main = call % 2 === 0;
          return {
            task: main ? "task-0" : `task-${call % tasks}`,
            profile: profileOf(main ? profile.next().value : 0),
            inputs: textOf(4 + tokens.next().value),
            scores: call % 3 === 0,
          };
        }),
      );
    },
    "32 texts of 128 tokens": () =>
      asked([{ task: "task-0", profile: profileOf(0), inputs: Array(32).fill(textOf(128)) }]),
  };
}

/** The largest request that is let in, and beside it bodies as large as they may be, more at once than there is room for. */
async function largest(worker: InspectedWorker, texts: number): Promise<string> {
  const inputs = Array(texts).fill(textOf(512));
  const batch = count({}, predict(worker.url, { task: "task-0", profile: profileOf(0), inputs, logits: true }));
  // Punctuation: a token for each byte, as one text or as two.
  const body = (index: number) => {
    const inputs = index % 2 === 0 ? { text: "*" } : { text: "*", textPair: "*" };
    const frame = JSON.stringify({ task: "task-0", profile: profileOf(index), inputs });
    const stars = frame.split("*").length - 1;
    return frame.replaceAll("*", "!".repeat(Math.floor((MOST_BODY_BYTES - frame.length) / stars)));
  };
  // It is to be under way when the bodies come: what they have would else be counted first.
  const answered = batch.then(() => true);
  const begun = async () => (await waitingTokens(worker.url)) > 0;
  while (!(await Promise.race([answered, begun()])));
  const statuses: Statuses = {};
  const answers = await Promise.all(
    Array.from({ length: BODIES }, (_, index) => count(statuses, predict(worker.url, body(index)))),
  );
  onlyStatuses("A body of 256 KiB", statuses, [200, 503]);
  onlyStatuses("The largest request", { [(await batch).status]: 1 }, [200]);
  const refused = (detail: string) => answers.filter((one) => one.status === 503 && one.body.includes(detail)).length;
  const how = [
    `${statuses[200] ?? 0} answered`,
    `${refused("request bodies")} refused for bodies`,
    `${refused("tokens")} for tokens`,
  ];
  return `${texts} texts of 512 tokens, and beside ${BODIES} bodies of 256 KiB at once: ${how.join(", ")}`;
}

const highest = (samples: readonly IsolateMemory[]): IsolateMemory =>
  samples.reduce((one, other) => (wholeOf(other) > wholeOf(one) ? other : one));

const lineOf = (when: string, { wasm, heap, outside }: IsolateMemory, used: IsolateMemory): Line => ({
  when,
  "WASM MB": wasm / MEGABYTE,
  "JS heap MB": heap / MEGABYTE,
  "outside MB": outside / MEGABYTE,
  "all MB": (wasm + heap + outside) / MEGABYTE,
  "in use MB": usedOf(used) / MEGABYTE,
});

export const memory: Bench = {
  name: "memory",
  about: "what an isolate takes: WebAssembly, JavaScript's heap, and what lies outside it",
  async run({ quick, progress }) {
    const size = quick ? { tasks: 2, profiles: 64, calls: 10 } : { tasks: 100, profiles: 6000, calls: 1000 };
    const texts = quick ? 6 : MOST_INPUTS;
    return await withInspected(await manyRows(size.tasks, size.profiles), async (worker) => {
      let when = "";
      const steps: [string, () => Promise<unknown>][] = [
        ...Object.entries(stepsOf(worker, size)),
        [
          "the largest requests",
          async () => {
            when = await largest(worker, texts);
          },
        ],
      ];
      const table: Line[] = [];
      const peaks: IsolateMemory[] = [];
      for (const [done, [name, step]] of steps.entries()) {
        progress(done, steps.length, name);
        const peak = highest(await worker.sampled(step));
        peaks.push(peak);
        table.push(lineOf(when || name, peak, await worker.inUse()));
      }
      const most = highest(peaks);
      const figures: Record<string, Figure> = {
        isolate_wasm_mb: { value: most.wasm / MEGABYTE, unit: "MB" },
        isolate_heap_mb: { value: most.heap / MEGABYTE, unit: "MB" },
        isolate_outside_mb: { value: most.outside / MEGABYTE, unit: "MB" },
        isolate_mb: { value: wholeOf(most) / MEGABYTE, unit: "MB", goal: { most: MOST_MEGABYTES } },
      };
      return { figures, table };
    });
  },
};
