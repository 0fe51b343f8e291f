import { beforeAll, describe, expect, it } from "vitest";
import type { Task } from "../../../src/profiles/task.ts";
import { createEngine, type Engine } from "../../../src/serving/engine.ts";
import { MAX_TOKENS_IN_FLIGHT } from "../../../src/serving/overload.ts";
import { compileKernels, compileRuntime, readBundle } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { engineInputs, masksOf, taskOf } from "../../support/rows.ts";

let engine: Engine;
let task: Task;

beforeAll(async () => {
  engine = await createEngine({ read: readBundle, wasm: await compileRuntime(), kernels: await compileKernels() });
  task = { ...taskOf({ bundle: engine.bundle.id }), generation: 1 };
});

const TEXT = { text: "The committee met again and nobody was surprised." };

const reading = (labelBias: Uint8Array | null, text = TEXT) => ({
  parts: { masks: masksOf(1), labelBias },
  input: text,
});

describe("predicting", () => {
  it("adds a label bias to the logits and changes nothing else", async () => {
    const [plain, biased] = (await engine.predict(task, [reading(null), reading(Uint8Array.of(16, 240, 0))]))
      .predictions;
    expect(biased?.logits.map((logit, label) => logit - (plain?.logits[label] ?? 0))).toEqual([
      expect.closeTo(1, 5),
      expect.closeTo(-1, 5),
      expect.closeTo(0, 5),
    ]);
    expect(biased?.tokens).toBe(plain?.tokens);
  });

  it("returns the likeliest label with its score, and scores that sum to 1", async () => {
    const [prediction] = (await engine.predict(task, [reading(null)])).predictions;
    const best = (prediction?.scores ?? []).indexOf(Math.max(...(prediction?.scores ?? [])));
    expect(prediction?.label).toBe(task.labels[best]);
    expect(prediction?.score).toBe(prediction?.scores[best]);
    expect(prediction?.scores.reduce((sum, score) => sum + score)).toBeCloseTo(1, 6);
    expect(prediction).toMatchObject({ truncated: false, tokens: 11 });
  });

  it("reports a text that it cannot read, by its number among several", async () => {
    const empty = reading(null, { text: " " });
    await expect(engine.predict(task, [empty])).rejects.toThrow("The text has no tokens");
    await expect(engine.predict(task, [reading(null), empty])).rejects.toThrow("Input 1 has no tokens");
    const long = reading(null, { text: "word ".repeat(40) });
    await expect(engine.predict(task, [long], { truncate: false })).rejects.toThrow(errorWithCode("text_too_long"));
    await expect(engine.predict(task, [long], { truncate: false })).rejects.toThrow("more than the 32 tokens");
    expect((await engine.predict(task, [long])).predictions).toMatchObject([{ truncated: true, tokens: 32 }]);
  });

  it("reports each step's time, in total no more than the elapsed time", async () => {
    const start = performance.now();
    const { timings } = await engine.predict(task, engineInputs(masksOf(77), TEXT, TEXT, TEXT));
    const passed = performance.now() - start;
    for (const milliseconds of Object.values(timings)) expect(milliseconds).toBeGreaterThanOrEqual(0);
    expect(timings.encoder).toBeGreaterThan(timings.head);
    expect(timings.merge).toBeGreaterThan(0);
    expect(Object.values(timings).reduce((sum, step) => sum + step)).toBeLessThanOrEqual(passed);
  });

  it("counts the tokens in flight text by text, down to zero", async () => {
    expect(engine.waitingTokens()).toBe(0);
    const running = engine.predict(task, engineInputs(masksOf(1), TEXT, TEXT, TEXT));
    expect(engine.waitingTokens()).toBe(33);
    const seen = new Set<number>();
    const watching = setInterval(() => seen.add(engine.waitingTokens()), 1);
    await running;
    clearInterval(watching);
    expect([...seen].every((tokens) => [0, 11, 22, 33].includes(tokens))).toBe(true);
    expect(seen.has(22) || seen.has(11)).toBe(true);
    expect(engine.waitingTokens()).toBe(0);
  });

  it("releases the tokens of a failed call", async () => {
    const damaged = { parts: { masks: new Uint8Array(3), labelBias: null }, input: TEXT };
    await expect(engine.predict(task, [reading(null), damaged])).rejects.toThrow(errorWithCode("invalid_mask"));
    expect(engine.waitingTokens()).toBe(0);
    await expect(engine.predict(task, [reading(Uint8Array.of(1))])).rejects.toThrow(
      errorWithCode("invalid_label_bias"),
    );
    expect(engine.waitingTokens()).toBe(0);
  });

  it("rejects a call at capacity, unless it is patient", async () => {
    const long = { ...task, maxTokens: 512 };
    const texts = Array.from({ length: 9 }, () => ({ text: "word ".repeat(520) }));
    const large = engine.predict(long, engineInputs(masksOf(1), ...texts)).catch(() => {});
    expect(engine.waitingTokens()).toBe(9 * 512);
    expect(engine.waitingTokens()).toBeGreaterThan(MAX_TOKENS_IN_FLIGHT / 2);
    await expect(engine.predict(long, engineInputs(masksOf(1), ...texts))).rejects.toThrow(errorWithCode("overloaded"));
    const patient = await engine.predict(task, [reading(null)], { patient: true });
    expect(patient.predictions).toHaveLength(1);
    await large;
  });

  it("reports its memory", async () => {
    expect(engine.mergedCache().maxBytes).toBe(4 * 2 ** 20);
    expect(engine.heapBytes()).toBeGreaterThan(20e6);
    expect(await engine.probe()).toEqual({ tokens: expect.any(Number) });
  });
});
