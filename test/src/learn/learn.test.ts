import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { loadEngine } from "../../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../../node/files.ts";
import type { LearnHooks, LearnProgress } from "../../../src/learn/progress.ts";
import type { Start } from "../../../src/learn/reader.ts";
import { maskShapeOf } from "../../../src/profiles/masks.ts";
import type { Task } from "../../../src/profiles/task.ts";
import type { Engine } from "../../../src/serving/engine.ts";
import { engineWith } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { examplesOf } from "../../support/examples.ts";
import { adapterOf, masksOf, taskOf } from "../../support/rows.ts";

let engine: Engine;
let runtime: Engine;
let task: Task;

beforeAll(async () => {
  engine = await loadEngine(DEFAULT_BUNDLE);
  runtime = await loadEngine(DEFAULT_BUNDLE, "onnxruntime");
  task = { ...taskOf({ bundle: engine.bundle.id }), generation: 1 };
});

const DEFAULT: Start = { profile: null, parts: { masks: masksOf(0), labelBias: null } };
const known = (seed: number, labelBias: Uint8Array | null = null): Start => ({
  profile: `known-${seed}`,
  parts: { masks: masksOf(seed), labelBias },
});

interface LearnOptions {
  readonly examples: ReturnType<typeof examplesOf>;
  readonly starts?: [Start, ...Start[]];
  readonly passes?: number;
  readonly seed?: number;
}

/** Learns a profile. Returns the result and every progress report. */
async function learn(
  { starts = [DEFAULT], ...options }: LearnOptions,
  hooks: Partial<LearnHooks> = {},
  of: { engine: Engine; task: Task } = { engine, task },
) {
  const reports: LearnProgress[] = [];
  const onProgress = async (progress: LearnProgress) => {
    reports.push(progress);
  };
  const context = { onProgress, signal: new AbortController().signal, budgetSeconds: 60, ...hooks };
  const examples = options.examples.map(({ text, label }) => ({ input: { text }, label }));
  return { learnt: await of.engine.learn(of.task, { ...options, starts, examples }, context), reports };
}

const hashOf = (bytes: Uint8Array | null) => bytes && createHash("sha256").update(bytes).digest("hex").slice(0, 16);

describe("learning a profile", () => {
  const longer = examplesOf(6).map((example, place) => ({ ...example, text: `${example.text} `.repeat(1 + place) }));
  const biased = known(2, Uint8Array.of(10, 200, 90));
  // The quickest comes first: a change mostly shows there. Only the last one learns long enough to change the masks.
  it.each<[string, string, LearnOptions]>([
    ["the default, by another seed", "seed", { examples: examplesOf(6), passes: 1, seed: 2 }],
    ["a start with a label bias", "biased", { examples: examplesOf(5), starts: [biased], passes: 1 }],
    ["texts of several lengths, some twice", "twice", { examples: [...longer, ...longer.slice(0, 3)], passes: 1 }],
    [
      "the likeliest of several starts",
      "starts",
      { examples: examplesOf(6), starts: [DEFAULT, known(1), biased, known(3)], passes: 1 },
    ],
    ["the default, in several passes", "passes", { examples: examplesOf(6), passes: 6 }],
  ])("gives the same bits as before from %s", async (_, name, options) => {
    for (const of of [engine, runtime]) {
      const { parts, pool, leftOut, ...rest } = (await learn(options, {}, { engine: of, task })).learnt;
      expect(pool).toEqual({ firstLayer: 5, size: 256, chosen: 128 });
      const labelBias = parts.labelBias && hashOf(parts.labelBias);
      const line = JSON.stringify({ masks: hashOf(parts.masks), labelBias, ...rest, ...leftOut });
      await expect(`${line}\n`).toMatchFileSnapshot(`../../fixtures/learnt/${name}-${of.name}.json`);
    }
  });

  // The learning graph of the default bundle begins at layer 5.
  it.each([
    ["before the learning graph's", 3],
    ["the learning graph's", 5],
  ])("trains only layers with masks, beside the task's adapter, if the pool's first layer is %s", async (_, first) => {
    const { tail: _tail, packed: _packed, ...manifest } = engine.bundle.manifest;
    const files = manifest.files.filter(({ role }) => role !== "tail" && role !== "packed");
    const late = await engineWith(
      JSON.stringify({ ...manifest, format: "xpeft-bundle/1", files, pool: { ...manifest.pool, firstLayer: first } }),
    );
    const start = masksOf(0, maskShapeOf(late.bundle.manifest));
    const adapted = { ...task, bundle: late.bundle.id, masks: start, adapter: adapterOf(1) };
    const parts = { masks: start, labelBias: null };
    const options = { examples: examplesOf(10), starts: [{ profile: null, parts }] as [Start], passes: 8 };
    const { learnt } = await learn(options, {}, { engine: late, task: adapted });
    expect(learnt.kept).toBe("masks");
    const { masks } = learnt.parts;
    expect(masks).toHaveLength(start.length);
    // 64 bytes a layer: layers before the learning graph stay the start's.
    const frozen = 64 * (5 - first);
    expect(masks.subarray(0, frozen)).toEqual(start.subarray(0, frozen));
    for (let side = frozen; side < start.length; side += 32) {
      expect(masks.subarray(side, side + 32)).not.toEqual(start.subarray(side, side + 32));
    }
    expect(learnt.leftOut.learnt.loss).toBeLessThan(learnt.leftOut.start.loss);
  });

  // Under a strong adapter, masks help more than a head.
  const adapted = () => ({ ...task, adapter: adapterOf(1) });

  it.each([
    ["a head", 6, () => task, { kept: "head", passes: 0 }],
    ["masks", 10, adapted, { kept: "masks", passes: 8 }],
  ])("labels more examples right by %s than its start, held-out ones included", async (_, count, taskFor, expected) => {
    const ofTask = taskFor();
    const { learnt } = await learn({ examples: examplesOf(count), passes: 8 }, {}, { engine, task: ofTask });
    expect(learnt).toMatchObject({ ...expected, start: null });
    expect(learnt.leftOut.learnt.loss).toBeLessThan(learnt.leftOut.start.loss);
    const countRight = async (parts: Start["parts"]) => {
      const inputs = examplesOf(count).map(({ text }) => ({ parts, input: { text } }));
      const { predictions } = await engine.predict(ofTask, inputs);
      return examplesOf(count).filter(({ label }, place) => predictions[place]?.label === label).length;
    };
    expect(await countRight(learnt.parts)).toBeGreaterThan(await countRight(DEFAULT.parts));
  });

  it("starts from a profile with other masks that explains the examples, not from another head alone", async () => {
    const examples = examplesOf(10);
    const of = { engine, task: adapted() };
    const { masks } = (await learn({ examples, passes: 8 }, {}, of)).learnt.parts;
    const { labelBias } = (await learn({ examples, passes: 8 })).learnt.parts;
    const head: Start = { profile: "head", parts: { masks: DEFAULT.parts.masks, labelBias } };
    const near: Start = { profile: "near", parts: { masks, labelBias } };
    const startOf = async (...starts: [Start, ...Start[]]) =>
      (await learn({ examples, starts, passes: 1 }, {}, of)).learnt.start;
    expect(await startOf(DEFAULT, head, known(1), near)).toBe("near");
    expect(await startOf(DEFAULT, head)).toBe(null);
  });

  it("reports phase, pass and a growing share of the work done", async () => {
    // On this clock a text takes a second, so every text is reported.
    let now = 0;
    const clock = vi.spyOn(Date, "now").mockImplementation(() => {
      now += 1000;
      return now;
    });
    const hooks = { budgetSeconds: 1e6 };
    const { learnt, reports } = await learn(
      { examples: examplesOf(6), starts: [DEFAULT, known(1), known(2)], passes: 6 },
      hooks,
    ).finally(() => clock.mockRestore());
    const order = ["start", "left-out", "all"];
    const places = reports.map(({ phase }) => order.indexOf(phase));
    expect(places).toEqual([...places].sort());
    expect(new Set(places)).toEqual(new Set([0, 1, 2]));
    for (const [number, { phase, pass, passes, loss, leftOutAccuracy, done, secondsLeft }] of reports.entries()) {
      expect(passes).toBe(phase === "start" ? 0 : phase === "left-out" ? 18 : learnt.passes);
      expect(pass).toBeLessThanOrEqual(passes);
      expect(done).toBeGreaterThanOrEqual(reports[number - 1]?.done ?? 0);
      expect(done).toBeLessThanOrEqual(1);
      expect(secondsLeft).toBeGreaterThanOrEqual(0);
      if (phase === "start") expect([loss, leftOutAccuracy]).toEqual([null, null]);
    }
    const last = reports.at(-1);
    // Masks that lose are not trained on all texts, which the estimate counts.
    expect(last?.done).toBeGreaterThan(learnt.kept === "masks" ? 0.8 : 0.6);
    expect(last?.loss).toBeGreaterThan(0);
    expect(last?.leftOutAccuracy).toBeGreaterThanOrEqual(0);
    expect(last?.leftOutAccuracy).toBeLessThanOrEqual(1);
  });

  it("stops when its signal aborts or a progress hook throws", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const hooks = { signal: controller.signal, onProgress: async () => controller.abort(reason) };
    await expect(learn({ examples: examplesOf(10) }, hooks)).rejects.toBe(reason);
    const onProgress = () => Promise.reject(reason);
    await expect(learn({ examples: examplesOf(10) }, { onProgress })).rejects.toBe(reason);
  });

  it("does not start if it would far exceed its time budget, and stops when the budget is spent", async () => {
    let times = 0;
    const onProgress = async () => {
      times++;
    };
    const begun = learn({ examples: examplesOf(20) }, { budgetSeconds: 0.1, onProgress });
    await expect(begun).rejects.toThrow(errorWithCode("learning_too_long"));
    expect(times).toBe(0);
    const slow = () => {
      times++;
      return new Promise<void>((resolve) => setTimeout(resolve, 600));
    };
    const ended = learn({ examples: examplesOf(10), passes: 1 }, { budgetSeconds: 0.5, onProgress: slow });
    await expect(ended).rejects.toThrow(errorWithCode("learning_too_long"));
    expect(times).toBeGreaterThan(0);
  });

  it("rejects unusable examples before it reads any text", async () => {
    const learnFrom = (change: object, labelled: ReturnType<typeof examplesOf> = examplesOf(4)) => {
      const examples = labelled.map(({ text, label }) => ({ input: { text }, label }));
      const hooks = { onProgress: async () => {}, signal: new AbortController().signal, budgetSeconds: 60 };
      return engine.learn({ ...task, ...change }, { starts: [DEFAULT], examples }, hooks);
    };
    await expect(learnFrom({ bundle: "0".repeat(32) })).rejects.toThrow(errorWithCode("bundle_mismatch"));
    for (const place of [0, 3]) {
      const blank = examplesOf(4).map((one, number) => (number === place ? { ...one, text: " \u200b" } : one));
      await expect(learnFrom({}, blank)).rejects.toThrow(errorWithCode("empty_text"));
      await expect(learnFrom({}, blank)).rejects.toThrow(`examples[${place}]: The text has no tokens`);
    }
    const same = examplesOf(4).map((one) => ({ ...one, text: "The same." }));
    await expect(learnFrom({}, same)).rejects.toThrow(errorWithCode("too_few_examples"));
    // 33 texts. Each has 200 words, of which 126 are read: 128 tokens with the two special ones.
    const long = Array.from({ length: 33 }, (_, place) => ({
      text: `${place} ${"word ".repeat(200)}`,
      label: place % 2 === 0 ? "low" : "high",
    }));
    await expect(learnFrom({ maxTokens: 512 }, long)).rejects.toThrow("have 4224 tokens; the limit is 4096");
  });

  it("runs one at a time: the first request wins", async () => {
    const first = learn({ examples: examplesOf(4), passes: 1 });
    await expect(learn({ examples: examplesOf(4), passes: 1 })).rejects.toThrow(errorWithCode("learning_busy"));
    expect((await first).learnt.passes).toBeLessThanOrEqual(1);
    await expect(learn({ examples: examplesOf(4), passes: 1 })).resolves.toBeDefined();
  });

  it("reports which other profile has a damaged row", async () => {
    const damaged: Start = { profile: "broken", parts: { masks: new Uint8Array(3), labelBias: null } };
    const learning = learn({ examples: examplesOf(6), starts: [DEFAULT, damaged] });
    await expect(learning).rejects.toThrow(errorWithCode("invalid_mask"));
    await expect(learning).rejects.toThrow('"broken"');
  });

  it("does not read a row that is never tried as a start, damaged or not", async () => {
    const other: Start = { profile: "other", parts: { masks: masksOf(1), labelBias: new Uint8Array(1) } };
    const same: Start = { profile: "same", parts: { masks: masksOf(0), labelBias: new Uint8Array(1) } };
    const options = { examples: examplesOf(4), passes: 1 };
    await expect(learn({ ...options, starts: [DEFAULT, same] })).resolves.toBeDefined();
    await expect(learn({ ...options, starts: [DEFAULT, same, other] })).rejects.toThrow('"other"');
  });
});
