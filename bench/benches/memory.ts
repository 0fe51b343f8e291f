import { MAX_INPUTS } from "../../app/http/text-schemas.ts";
import { MAX_TEXTS_BYTES } from "../../app/middleware/json-body.ts";
import type { Bench, Figure, Row } from "../bench.ts";
import {
  type InspectedWorker,
  type IsolateMemory,
  peakOf,
  totalBytes,
  usedBytes,
  withInspectedWorker,
} from "../memory/inspected-worker.ts";
import { createTasks, profileId } from "../memory/tasks.ts";
import { createDraw } from "../random.ts";
import { checkStatuses, countStatus, predict, type Statuses } from "../requests.ts";
import { MEGABYTE } from "../statistics.ts";
import { newText, newTexts } from "../texts.ts";

/** Simultaneous requests with the largest body: more than the Worker accepts. */
const BODIES = 24;

/** Returns the steps of a Worker's life by name, in order. */
function createSteps(
  worker: InspectedWorker,
  { tasks, profiles, calls }: { tasks: number; profiles: number; calls: number },
): [string, () => Promise<unknown>][] {
  const predictAll = async (bodies: readonly object[], allowed: readonly number[] = [200]) => {
    const statuses: Statuses = {};
    for (const body of bodies) await countStatus(statuses, predict(worker.url, body));
    checkStatuses("A prediction", statuses, allowed);
  };
  const readRows = async () => {
    // The Worker reads all rows before it rejects an empty text.
    const taskBodies = Array.from({ length: tasks }, (_, index) => ({
      task: `task-${index}`,
      profile: profileId(0),
      inputs: "",
    }));
    const profileBodies = Array.from({ length: Math.ceil(profiles / MAX_INPUTS) }, (_, group) => ({
      task: "task-0",
      inputs: Array.from({ length: MAX_INPUTS }, (_, index) => ({
        profile: profileId((group * MAX_INPUTS + index) % profiles),
        text: "",
      })),
    }));
    await predictAll([...taskBodies, ...profileBodies], [422]);
  };
  const predictMixed = async () => {
    const [drawTokens, drawProfile] = [createDraw(1, 125), createDraw(2, profiles)];
    const bodies = Array.from({ length: calls }, (_, call) => ({
      ...(call % 2 === 0
        ? { task: "task-0", profile: profileId(drawProfile()) }
        : { task: `task-${call % tasks}`, profile: profileId(0) }),
      inputs: newText(4 + drawTokens()),
      scores: call % 3 === 0,
    }));
    await predictAll(bodies);
  };
  const predictBatch = () => predictAll([{ task: "task-0", profile: profileId(0), inputs: newTexts(32, 128) }]);
  return [
    ["load", worker.load],
    ["rows of all tasks and profiles read", readRows],
    [`${calls} mixed predictions`, predictMixed],
    ["32 texts of 128 tokens", predictBatch],
  ];
}

/** Sends the largest accepted request and, at once, more of the largest bodies than the Worker accepts. Describes the result. */
async function sendLargest(worker: InspectedWorker, texts: number): Promise<string> {
  const inputs = newTexts(texts, 512);
  const batch = countStatus({}, predict(worker.url, { task: "task-0", profile: profileId(0), inputs, logits: true }));
  // Punctuation is a token a byte, as one text or as two.
  const body = (index: number) => {
    const inputs = index % 2 === 0 ? { text: "*" } : { text: "*", textPair: "*" };
    const frame = JSON.stringify({ task: "task-0", profile: profileId(index), inputs });
    const stars = frame.split("*").length - 1;
    return frame.replaceAll("*", "!".repeat(Math.floor((MAX_TEXTS_BYTES - frame.length) / stars)));
  };
  // The batch must be in flight before the bodies arrive; otherwise they would fill the budget first.
  const answered = batch.then(() => true);
  const inFlight = async () => (await worker.waitingTokens()) > 0;
  while (!(await Promise.race([answered, inFlight()])));
  const statuses: Statuses = {};
  // One caller could fill only three quarters of the budget.
  const callers = [{}, { key: worker.adminKey }];
  const responses = await Promise.all(
    Array.from({ length: BODIES }, (_, index) =>
      countStatus(statuses, predict(worker.url, body(index), callers[(index >> 1) % 2])),
    ),
  );
  checkStatuses("A body of 256 KiB", statuses, [200, 503]);
  checkStatuses("The largest request", { [(await batch).status]: 1 }, [200]);
  const rejected = responses.filter(({ status }) => status === 503);
  const forBodies = rejected.filter(({ body }) => body.includes("bodies")).length;
  const counts = [
    `${statuses[200] ?? 0} answered`,
    `${forBodies} rejected for bodies`,
    `${rejected.length - forBodies} for tokens`,
  ];
  return `${texts} texts of 512 tokens, with ${BODIES} bodies of 256 KiB at once: ${counts.join(", ")}`;
}

const rowOf = (when: string, peak: IsolateMemory, used: IsolateMemory): Row => ({
  when,
  "WASM MB": peak.wasm / MEGABYTE,
  "JS heap MB": peak.heap / MEGABYTE,
  "outside MB": peak.outside / MEGABYTE,
  "all MB": totalBytes(peak) / MEGABYTE,
  "in use MB": usedBytes(used) / MEGABYTE,
});

export const memory: Bench = {
  name: "memory",
  description: "memory of an isolate: WebAssembly, JavaScript's heap, and what is outside it",
  async run({ quick, progress }) {
    const size = quick ? { tasks: 2, profiles: 64, calls: 10 } : { tasks: 100, profiles: 6000, calls: 1000 };
    const texts = quick ? 6 : MAX_INPUTS;
    return await withInspectedWorker(await createTasks(size.tasks, size.profiles), async (worker) => {
      let largest = "the largest requests";
      const sendAll = async () => {
        largest = await sendLargest(worker, texts);
      };
      const steps = [...createSteps(worker, size), [largest, sendAll] as const];
      const table: Row[] = [];
      const peaks: IsolateMemory[] = [];
      for (const [done, [name, step]] of steps.entries()) {
        progress(done, steps.length, name);
        const peak = peakOf(await worker.sampleDuring(step));
        peaks.push(peak);
        table.push(rowOf(step === sendAll ? largest : name, peak, await worker.inUse()));
      }
      const peak = peakOf(peaks);
      const figures: Record<string, Figure> = {
        isolate_wasm_mb: { value: peak.wasm / MEGABYTE, unit: "MB" },
        isolate_heap_mb: { value: peak.heap / MEGABYTE, unit: "MB" },
        isolate_outside_mb: { value: peak.outside / MEGABYTE, unit: "MB" },
        isolate_mb: { value: totalBytes(peak) / MEGABYTE, unit: "MB", goal: { most: 75 } },
      };
      return { figures, table };
    });
  },
};
