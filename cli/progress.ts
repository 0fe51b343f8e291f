import { createLiveLine, formatBar } from "./live-line.ts";

/** Shows the progress of long work on standard error. */
export interface ProgressBar {
  increment(count: number): void;
  /** Writes a line above the bar. */
  log(line: string): void;
  stop(): void;
}

/**
 * Returns a progress bar. It is drawn in a terminal only.
 *
 * @param items name of the counted things, in the plural
 * @param total how many there are, if that is known
 * @param enabled false for a bar that is never drawn
 */
export function createProgressBar(items: string, total?: number, enabled = true): ProgressBar {
  const line = enabled ? createLiveLine() : null;
  if (!line) return { increment() {}, log: (text) => console.error(text), stop() {} };
  const startMs = Date.now();
  let value = 0;
  const format = () => {
    if (total === undefined) return `${value} ${items}`;
    const secondsLeft = Math.ceil(((Date.now() - startMs) / 1000 / value) * (total - value));
    return `${formatBar(value / total)} ${value}/${total} ${items}, ${secondsLeft} s left`;
  };
  return {
    increment(count) {
      value += count;
      line.show(format());
    },
    log: line.log,
    stop: line.end,
  };
}
