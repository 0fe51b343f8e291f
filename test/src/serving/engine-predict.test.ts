import { beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../../node/files.ts";
import { softmax } from "../../../src/model/head.ts";
import type { Task } from "../../../src/profiles/task.ts";
import type { Engine } from "../../../src/serving/engine.ts";
import { MAX_TOKENS_IN_FLIGHT } from "../../../src/serving/overload.ts";
import { errorWithCode } from "../../support/errors.ts";
import { adapterOf, engineInputs, masksOf, packAdapter, taskOf } from "../../support/rows.ts";

let engine: Engine;
let task: Task;

beforeAll(async () => {
  engine = await loadEngine(DEFAULT_BUNDLE);
  task = { ...taskOf({ bundle: engine.bundle.id }), generation: 1 };
});

const TEXT = { text: "The committee met again and nobody was surprised." };

/** Words that are one token each. */
const UNREAD = ["council", "court", "family", "team", "party", "church", "school", "company", "army"];

/** Returns three texts of 11 tokens that were not read before. */
const unread = () => UNREAD.splice(0, 3).map((word) => ({ text: TEXT.text.replace("committee", word) }));

const inputOf = (labelBias: Uint8Array | null, input = TEXT) => ({ parts: { masks: masksOf(1), labelBias }, input });

/** Predicts one text, or a pair, under the task's default masks. */
const predict = (row: Task, text: string, textPair?: string) =>
  engine.predict(row, engineInputs(row.masks, { text, textPair }));

describe("predicting", () => {
  it("adds a label bias to the logits and changes nothing else", async () => {
    const [plain, biased] = (await engine.predict(task, [inputOf(null), inputOf(Uint8Array.of(16, 240, 0))]))
      .predictions;
    expect(biased?.logits.map((logit, label) => logit - (plain?.logits[label] ?? 0))).toEqual([
      expect.closeTo(1, 5),
      expect.closeTo(-1, 5),
      expect.closeTo(0, 5),
    ]);
    expect(biased?.tokens).toBe(plain?.tokens);
  });

  it("returns the likeliest label with its score, and scores that sum to 1", async () => {
    const [prediction] = (await engine.predict(task, [inputOf(null)])).predictions;
    const best = (prediction?.scores ?? []).indexOf(Math.max(...(prediction?.scores ?? [])));
    expect(prediction?.label).toBe(task.labels[best]);
    expect(prediction?.score).toBe(prediction?.scores[best]);
    expect(prediction?.scores).toEqual(softmax(prediction?.logits ?? []));
    expect(prediction?.scores.reduce((sum, score) => sum + score)).toBeCloseTo(1, 6);
    expect(prediction).toMatchObject({ truncated: false, tokens: 11 });
  });

  it("adds the task's adapter, also under masks that it has read before", async () => {
    const logitsUnder = async (adapter: Uint8Array | null) =>
      (await engine.predict({ ...task, adapter }, [inputOf(null)])).predictions[0]?.logits;
    const plain = await logitsUnder(null);
    const adapted = await logitsUnder(adapterOf(1));
    expect(adapted).not.toEqual(plain);
    expect(await logitsUnder(adapterOf(2))).not.toEqual(adapted);
    expect(await logitsUnder(adapterOf(1))).toEqual(adapted);
    expect(await logitsUnder(null)).toEqual(plain);
    expect(await logitsUnder(new Uint8Array(adapterOf(1).length))).toEqual(plain);
    const huge = packAdapter(new Float32Array(12).fill(3e38), new Int8Array(12 * 384 * 16).fill(127));
    await expect(logitsUnder(huge)).rejects.toThrow("The task's adapter makes features that are not finite.");
    await expect(logitsUnder(adapterOf(1).subarray(1))).rejects.toThrow(errorWithCode("invalid_row"));
  });

  it("reports a text that it cannot read, by its number among several", async () => {
    const empty = inputOf(null, { text: " " });
    await expect(engine.predict(task, [empty])).rejects.toThrow("The text has no tokens");
    await expect(engine.predict(task, [inputOf(null), empty])).rejects.toThrow("Input 1 has no tokens");
    const long = inputOf(null, { text: "word ".repeat(40) });
    await expect(engine.predict(task, [long], { truncate: false })).rejects.toThrow(errorWithCode("text_too_long"));
    await expect(engine.predict(task, [long], { truncate: false })).rejects.toThrow("more than the 32 tokens");
    expect((await engine.predict(task, [long])).predictions).toMatchObject([{ truncated: true, tokens: 32 }]);
    const fitting = inputOf(null, { text: "word ".repeat(30) });
    const { predictions } = await engine.predict(task, [fitting], { truncate: false });
    expect(predictions).toMatchObject([{ truncated: false, tokens: 32 }]);
  });

  it.each(["", " \t\n", "\u200b\u0000\ufffd", "\ud800"])("rejects %j as an empty text", async (text) => {
    await expect(predict(task, text)).rejects.toThrow(errorWithCode("empty_text"));
  });

  it("reads a pair differently from its first text alone", async () => {
    const { predictions: alone } = await predict(task, "a premise");
    const { predictions: paired } = await predict(task, "a premise", "a conclusion");
    expect(paired[0]?.tokens).toBe((alone[0]?.tokens ?? 0) + 3);
    expect(paired[0]?.scores).not.toEqual(alone[0]?.scores);
  });

  it("labels texts under several profiles, each like a separate call", async () => {
    const mixed = [1, 2, 1].flatMap((seed) => engineInputs(masksOf(seed), TEXT));
    const { predictions } = await engine.predict(task, mixed);
    for (const [place, input] of mixed.entries()) {
      expect((await engine.predict(task, [input])).predictions[0]).toEqual(predictions[place]);
    }
    expect(predictions[1]?.logits).not.toEqual(predictions[0]?.logits);
  });

  it("rejects a task that does not fit the bundle", async () => {
    const rejected = async (change: Partial<Task>, code: "bundle_mismatch" | "invalid_row" | "invalid_mask") =>
      await expect(predict({ ...task, ...change }, "a text")).rejects.toThrow(errorWithCode(code));
    await rejected({ bundle: "f".repeat(32) }, "bundle_mismatch");
    await rejected({ maxTokens: 513 }, "invalid_row");
    await rejected({ maxTokens: 2 }, "invalid_row");
    await rejected({ head: task.head.subarray(1) }, "invalid_row");
    await rejected({ masks: task.masks.slice(1) }, "invalid_mask");
  });

  it("reports each step's time, in total no more than the elapsed time", async () => {
    const start = performance.now();
    const { timings } = await engine.predict(task, engineInputs(masksOf(77), ...unread()));
    const passed = performance.now() - start;
    for (const milliseconds of Object.values(timings)) expect(milliseconds).toBeGreaterThanOrEqual(0);
    expect(timings.encoder).toBeGreaterThan(timings.head);
    expect(timings.merge).toBeGreaterThan(0);
    expect(Object.values(timings).reduce((sum, step) => sum + step)).toBeLessThanOrEqual(passed);
  });

  it("counts the tokens in flight text by text, down to zero", async () => {
    expect(engine.waitingTokens()).toBe(0);
    const running = engine.predict(task, engineInputs(masksOf(1), ...unread()));
    expect(engine.waitingTokens()).toBe(33);
    const seen = new Set<number>();
    const watching = setInterval(() => seen.add(engine.waitingTokens()), 1);
    await running;
    clearInterval(watching);
    expect([...seen].every((tokens) => [0, 11, 22, 33].includes(tokens))).toBe(true);
    expect(seen.has(22) || seen.has(11)).toBe(true);
    expect(engine.waitingTokens()).toBe(0);
  });

  it("counts the tokens of a text once for all profiles, and gives other calls turns", async () => {
    const [text] = unread();
    const inputs = Array.from({ length: 40 }, (_, seed) => engineInputs(masksOf(seed), text ?? TEXT)).flat();
    const running = engine.predict(task, inputs);
    expect(engine.waitingTokens()).toBe(11);
    const turns: number[] = [];
    const watching = setInterval(() => turns.push(engine.waitingTokens()), 0);
    const { predictions } = await running;
    clearInterval(watching);
    // Others get turns beside texts that are not read anew, too.
    expect(turns.length).toBeGreaterThanOrEqual(2);
    expect(engine.waitingTokens()).toBe(0);
    const alone = await engine.predict(task, engineInputs(masksOf(39), text ?? TEXT));
    expect(predictions[39]).toEqual(alone.predictions[0]);
  });

  it("releases the tokens of a failed call", async () => {
    const damaged = { parts: { masks: new Uint8Array(3), labelBias: null }, input: TEXT };
    await expect(engine.predict(task, [inputOf(null), damaged])).rejects.toThrow(errorWithCode("invalid_mask"));
    expect(engine.waitingTokens()).toBe(0);
    await expect(engine.predict(task, [inputOf(Uint8Array.of(1))])).rejects.toThrow(
      errorWithCode("invalid_label_bias"),
    );
    expect(engine.waitingTokens()).toBe(0);
  });

  it("rejects a call at capacity, unless it is patient", async () => {
    const long = { ...task, maxTokens: 512 };
    const texts = Array.from({ length: 9 }, (_, number) => ({
      text: `${"word ".repeat(number)}${"text ".repeat(520)}`,
    }));
    const large = engine.predict(long, engineInputs(masksOf(1), ...texts)).catch(() => {});
    expect(engine.waitingTokens()).toBe(9 * 512);
    expect(engine.waitingTokens()).toBeGreaterThan(MAX_TOKENS_IN_FLIGHT / 2);
    await expect(engine.predict(long, engineInputs(masksOf(1), ...texts))).rejects.toThrow(errorWithCode("overloaded"));
    const patient = await engine.predict(task, [inputOf(null)], { patient: true });
    expect(patient.predictions).toHaveLength(1);
    await large;
  });

  it("probes itself, and reports its memory", async () => {
    expect(await engine.probe()).toEqual({ tokens: 8 });
    expect(engine.caches().merged.maxBytes).toBe(4 * 2 ** 20);
    expect(engine.heapBytes()).toBeGreaterThan(24 * 2 ** 20);
  });
});
