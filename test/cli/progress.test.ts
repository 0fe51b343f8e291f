import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLearnProgressBar } from "../../cli/learn/progress-bar.ts";
import { createProgressBar } from "../../cli/progress.ts";

const { isTTY, columns } = process.stderr;
let written: string;

/** What a terminal shows after the text: a carriage return goes to the start of the line, and ESC [ K clears the rest. */
function screenOf(text: string): string[] {
  return text.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1).replace("\u001b[K", ""));
}

function useStderr(terminal: boolean): void {
  Object.assign(process.stderr, { isTTY: terminal, columns: 60 });
}

beforeEach(() => {
  written = "";
  vi.useFakeTimers();
  const collect = (text: unknown) => {
    written += String(text);
    return true;
  };
  vi.spyOn(process.stderr, "write").mockImplementation(collect);
  vi.spyOn(console, "error").mockImplementation((text) => collect(`${text}\n`));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  Object.assign(process.stderr, { isTTY, columns });
});

const PROGRESS = { pass: 1, passes: 2, loss: null, leftOutAccuracy: null };

function learnOne(): void {
  const bar = createLearnProgressBar();
  bar.start("news/me");
  vi.advanceTimersByTime(500);
  bar.update({ ...PROGRESS, phase: "left-out", done: 0.5, secondsLeft: 3 });
  bar.update({ ...PROGRESS, phase: "all", done: 1, secondsLeft: 0 });
  bar.stop();
}

describe("in a terminal", () => {
  beforeEach(() => useStderr(true));

  it("ends the line of progress before the result of learning", () => {
    learnOne();
    const [bar, ...rest] = screenOf(`${written}news/me: candidate "masks" won`);
    expect(bar).toBe("news/me: took 0.5 s");
    expect(written).toContain(`\r\u001b[Knews/me: ${"█".repeat(15)}${"░".repeat(15)} 50%, cross-`);
    expect(rest).toEqual(['news/me: candidate "masks" won']);
  });

  it("keeps the bar on one line, and messages above it", () => {
    const bar = createProgressBar("texts", 4);
    bar.increment(1);
    bar.log("text 1: empty_text");
    bar.increment(1);
    bar.log("text 2: empty_text");
    bar.increment(2);
    bar.stop();
    expect(screenOf(written)).toEqual([
      "text 1: empty_text",
      "text 2: empty_text",
      `${"█".repeat(30)} 4/4 texts, 0 s left`,
      "",
    ]);
    expect(Math.max(...written.split(/[\r\n]/).map(({ length }) => length))).toBeLessThan(60 + "\u001b[K".length);
  });

  it("shows nothing of work that has not begun", () => {
    createProgressBar("texts", 4).stop();
    createLearnProgressBar().stop();
    expect(written).toBe("");
  });
});

describe("in a file or a pipe", () => {
  beforeEach(() => useStderr(false));

  it("writes messages alone, without control characters", () => {
    learnOne();
    const bar = createProgressBar("texts", 4);
    bar.increment(4);
    bar.log("text 4: empty_text");
    bar.stop();
    expect(written).toBe("text 4: empty_text\n");
  });
});
