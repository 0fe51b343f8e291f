import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { estimateReadMs, type LearnHooks, type LearnProgress, trackWork } from "../../../src/learn/progress.ts";
import { named } from "../../support/errors.ts";

let now = 1_000_000;
let told: LearnProgress[] = [];

beforeEach(() => {
  told = [];
  vi.spyOn(Date, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function begin(totalMs: number, hooks: Partial<LearnHooks> = {}) {
  const onProgress = async (progress: LearnProgress) => void told.push(progress);
  return trackWork(totalMs, { onProgress, signal: new AbortController().signal, budgetSeconds: 10, ...hooks });
}

it("takes longer texts for longer work", () => {
  expect(estimateReadMs(0)).toBe(10);
  expect(estimateReadMs(100)).toBe(50);
});

describe("a learning's work", () => {
  it("is not begun where it is guessed to take more than twice what it may", () => {
    expect(() => begin(20_000)).not.toThrow();
    expect(() => begin(20_001)).toThrow(named("learning_too_long"));
  });

  it("is told at once, and again when 400 ms have passed, by what is done of it and how long that took", async () => {
    const work = begin(1000);
    work.at({ phase: "left-out", passes: 4 });
    await work.afterText(100);
    now += 200;
    await work.afterText(100);
    expect(told).toEqual([
      { phase: "left-out", pass: 0, passes: 4, loss: null, leftOutAccuracy: null, done: 0.1, secondsLeft: 1 },
    ]);
    work.at({ pass: 2, loss: 0.5 });
    now += 3800;
    await work.afterText(200);
    // 400 of 1,000 took four seconds.
    expect(told[1]).toEqual({
      phase: "left-out",
      pass: 2,
      passes: 4,
      loss: 0.5,
      leftOutAccuracy: null,
      done: 0.4,
      secondsLeft: 6,
    });
    now += 399;
    await work.afterText(0);
    expect(told).toHaveLength(2);
    now += 1;
    await work.afterText(0);
    expect(told).toHaveLength(3);
  });

  it("is never more than done, nor over before it ends", async () => {
    const work = begin(100);
    now += 1000;
    await work.afterText(300);
    expect(told).toMatchObject([{ done: 1, secondsLeft: 0 }]);
  });

  it("may take just as long as it may", async () => {
    const work = begin(1000);
    now += 10_000;
    await work.afterText(1);
    now += 1;
    await expect(work.afterText(1)).rejects.toThrow(named("learning_too_long"));
  });

  it("gives others several turns after each text", async () => {
    const work = begin(1000);
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    await work.afterText(1);
    clearInterval(counting);
    expect(turns).toBeGreaterThanOrEqual(3);
  });
});
