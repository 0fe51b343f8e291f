import { SingleBar } from "cli-progress";

/** Shows the progress of long work on standard error. */
export interface ProgressBar {
  increment(count: number): void;
  /** Writes a line above the bar. */
  log(line: string): void;
  stop(): void;
}

/** Frames a second at most. */
const MAX_FPS = 10;

/**
 * Returns a progress bar. It is drawn in a terminal only.
 *
 * @param items name of the counted things, in the plural
 * @param total how many there are, if that is known
 * @param enabled false for a bar that is never drawn
 */
export function createProgressBar(items: string, total?: number, enabled = true): ProgressBar {
  if (!enabled || !process.stderr.isTTY) return { increment() {}, log: (line) => console.error(line), stop() {} };
  const format = total === undefined ? `{value} ${items}` : `{bar} {value}/{total} ${items}, {eta_formatted} left`;
  const bar = new SingleBar({
    stream: process.stderr,
    format,
    fps: MAX_FPS,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(total ?? 0, 0);
  return {
    increment: (count) => bar.increment(count),
    log(line) {
      // The cursor is on the bar's line: clear it. The next frame draws the bar again.
      process.stderr.write(`\r\u001b[K${line}\n`);
    },
    stop: () => bar.stop(),
  };
}
