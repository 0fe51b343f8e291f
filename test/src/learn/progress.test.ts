import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  estimateFitMs,
  estimateReadMs,
  estimateTrainingMs,
  type LearnHooks,
  type LearnProgress,
  trackWork,
} from "../../../src/learn/progress.ts";
import { errorWithCode } from "../../support/errors.ts";

let now = 1_000_000;
let reports: LearnProgress[] = [];

beforeEach(() => {
  reports = [];
  vi.spyOn(Date, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function begin(totalMs: number, hooks: Partial<LearnHooks> = {}) {
  const onProgress = async (progress: LearnProgress) => void reports.push(progress);
  return trackWork(totalMs, { onProgress, signal: new AbortController().signal, budgetSeconds: 10, ...hooks });
}

it("estimates training by the blocks that the learning graph runs whole", () => {
  expect(estimateTrainingMs(100, 6, 5)).toBe(2);
  expect(estimateTrainingMs(100, 6, 4)).toBe(27);
  expect(estimateTrainingMs(0, 6, 3)).toBe(12);
});

it("estimates more work for longer texts", () => {
  expect(estimateReadMs(0)).toBe(10);
  expect(estimateReadMs(100)).toBe(50);
});

it("estimates a fit by its texts and labels", () => {
  const sizes = { texts: 200, hidden: 384, labels: 2 };
  expect(estimateFitMs({ ...sizes, labels: 150 })).toBeGreaterThan(10 * estimateFitMs(sizes));
});

describe("a learning run's work", () => {
  it("does not start if the estimate exceeds twice the budget", () => {
    expect(() => begin(20_000)).not.toThrow();
    expect(() => begin(20_001)).toThrow(errorWithCode("learning_too_long"));
  });

  it("is reported at once and every 400 ms, with the share done and the time left", async () => {
    const work = begin(1000);
    work.report({ phase: "left-out", passes: 4 });
    await work.afterText(100);
    now += 200;
    await work.afterText(100);
    expect(reports).toEqual([
      { phase: "left-out", pass: 0, passes: 4, loss: null, leftOutAccuracy: null, done: 0.1, secondsLeft: 1 },
    ]);
    work.report({ pass: 2, loss: 0.5 });
    now += 3800;
    await work.afterText(200);
    // 400 of 1,000 took 4 s.
    expect(reports[1]).toEqual({
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
    expect(reports).toHaveLength(2);
    now += 1;
    await work.afterText(0);
    expect(reports).toHaveLength(3);
  });

  it("is reported after the first text of each phase, however soon it comes", async () => {
    const work = begin(1000);
    await work.afterText(1);
    for (const phase of ["left-out", "left-out", "all"] as const) {
      work.report({ phase });
      await work.afterText(1);
      await work.afterText(1);
    }
    expect(reports.map(({ phase }) => phase)).toEqual(["start", "left-out", "all"]);
  });

  it("is never reported as more than done", async () => {
    const work = begin(100);
    now += 1000;
    await work.afterText(300);
    expect(reports).toMatchObject([{ done: 1, secondsLeft: 0 }]);
  });

  it("may use its whole budget, and no more", async () => {
    const work = begin(1000);
    now += 10_000;
    await work.afterText(1);
    now += 1;
    await expect(work.afterText(1)).rejects.toThrow(errorWithCode("learning_too_long"));
  });

  it("counts no part as done, but ends in one", async () => {
    const controller = new AbortController();
    const work = begin(1000, { signal: controller.signal });
    await work.afterPart(500);
    expect(reports).toMatchObject([{ done: 0, secondsLeft: 1 }]);
    controller.abort(new Error("enough"));
    await expect(work.afterPart(1)).rejects.toThrow("enough");
  });

  it("yields to the event loop several times after each ten milliseconds of work", async () => {
    const work = begin(1000);
    const ticksDuring = async (ms: number) => {
      let ticks = 0;
      const counting = setInterval(() => ticks++, 0);
      await work.afterText(ms);
      clearInterval(counting);
      return ticks;
    };
    expect(await ticksDuring(6)).toBe(0);
    expect(await ticksDuring(6)).toBeGreaterThanOrEqual(3);
    expect(await ticksDuring(6)).toBe(0);
    expect(await ticksDuring(30)).toBeGreaterThanOrEqual(3);
  });
});
