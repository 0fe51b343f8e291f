import type { Bench, Line } from "../bench.ts";
import { draws } from "../load.ts";
import { count, onlyStatuses, predict, type Statuses } from "../memory/asking.ts";
import { type InspectedWorker, type IsolateMemory, usedOf, wholeOf, withInspected } from "../memory/inspected.ts";
import { manyRows } from "../memory/rows.ts";
import { textOf } from "../texts.ts";

const MEGABYTE = 1e6;
const MOST_MEGABYTES = 100;
/** Texts of a request at most. */
const MOST_INPUTS = 64;
const MOST_BODY_BYTES = 256 * 1024;
/** Requests with the largest body at once: more than are let in. */
const BODIES = 24;
const SAMPLE_EVERY_MS = 250;

const profileOf = (index: number) => `demo-${String(index).padStart(3, "0")}`;

/** Does a step, and gives every sample of the memory that was taken meanwhile and at its end, nothing collected. */
async function sampled(worker: InspectedWorker, step: () => Promise<unknown>): Promise<IsolateMemory[]> {
  const samples: IsolateMemory[] = [];
  let done = false;
  const stepped = step().finally(() => {
    done = true;
  });
  while (!done) {
    samples.push(await worker.memory(false));
    await Promise.race([stepped.catch(() => {}), new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS))]);
  }
  await stepped;
  return [...samples, await worker.memory(false)];
}

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
    load: async () => {},
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
  const statuses: Statuses = {};
  const batch = count({}, predict(worker.url, { task: "task-0", profile: profileOf(0), inputs, logits: true }));
  // Punctuation: a token for each byte, as one text or as two.
  const body = (index: number) => {
    const inputs = index % 2 === 0 ? { text: "*" } : { text: "*", textPair: "*" };
    const frame = JSON.stringify({ task: "task-0", profile: profileOf(index), inputs });
    const stars = frame.split("*").length - 1;
    return frame.replaceAll("*", "!".repeat(Math.floor((MOST_BODY_BYTES - frame.length) / stars)));
  };
  const bodies = Array.from({ length: BODIES }, (_, index) => count(statuses, predict(worker.url, body(index))));
  await Promise.all(bodies);
  onlyStatuses("A body of 256 KiB", statuses, [200, 503]);
  onlyStatuses("The largest request", { [(await batch).status]: 1 }, [200]);
  return `${texts} texts of 512 tokens, and of ${BODIES} bodies of 256 KiB at once ${statuses[200] ?? 0} let in`;
}

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
    const texts = quick ? 2 : MOST_INPUTS;
    return await withInspected(await manyRows(size.tasks, size.profiles), async (worker) => {
      const steps = Object.entries(stepsOf(worker, size));
      const table: Line[] = [];
      const figures: Record<string, { value: number; unit: string; goal?: { most: number } }> = {};
      const note = async (when: string, samples: readonly IsolateMemory[]) => {
        const most = samples.reduce((one, other) => (wholeOf(other) > wholeOf(one) ? other : one));
        table.push(lineOf(when, most, await worker.memory(true)));
        return most;
      };
      for (const [done, [when, step]] of steps.entries()) {
        progress(done, steps.length + 1, when);
        await note(when, await sampled(worker, step));
      }
      progress(steps.length, steps.length + 1, `${texts} texts of 512 tokens`);
      let when = "";
      const samples = await sampled(worker, async () => {
        when = await largest(worker, texts);
      });
      const most = await note(when, samples);
      for (const [part, bytes] of Object.entries({ wasm: most.wasm, heap: most.heap, outside: most.outside })) {
        figures[`isolate_${part}_mb`] = { value: bytes / MEGABYTE, unit: "MB" };
      }
      figures.isolate_mb = { value: wholeOf(most) / MEGABYTE, unit: "MB", goal: { most: MOST_MEGABYTES } };
      return { figures, table };
    });
  },
};
