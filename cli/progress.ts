import { SingleBar } from "cli-progress";

/** Shows on stderr how far long work is. */
export interface ProgressBar {
  add(count: number): void;
  /** Writes a line above the bar. */
  say(line: string): void;
  end(): void;
}

/** Redrawn no more often than this. */
const FRAMES_A_SECOND = 10;

/**
 * A bar in a terminal, and nothing elsewhere.
 *
 * @param what is counted, in the plural
 * @param total how much there is, if it is known
 * @param wanted whether there is to be a bar at all
 */
export function createProgressBar(what: string, total?: number, wanted = true): ProgressBar {
  if (!wanted || !process.stderr.isTTY) return { add() {}, say: (line) => console.error(line), end() {} };
  const format = total === undefined ? `{value} ${what}` : `{bar} {value}/{total} ${what}, {eta_formatted} left`;
  const bar = new SingleBar({
    stream: process.stderr,
    format,
    fps: FRAMES_A_SECOND,
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(total ?? 0, 0);
  return {
    add: (count) => bar.increment(count),
    say(line) {
      // The bar is where the cursor is: it is wiped, and drawn again at its next step.
      process.stderr.write(`\r\u001b[K${line}\n`);
    },
    end: () => bar.stop(),
  };
}
