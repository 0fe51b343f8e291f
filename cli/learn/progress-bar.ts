import { SingleBar } from "cli-progress";
import type { LearnProgress } from "../../src/learn/progress.ts";

/** Shows the progress of learning on standard error. */
export interface LearnProgressBar {
  /** @param title what is learnt */
  start(title: string): void;
  update(progress: LearnProgress): void;
  stop(): void;
}

/** Milliseconds between lines outside of a terminal. */
const LINE_MS = 10_000;

const PHASES = { start: "choosing a start", "left-out": "cross-validation", all: "training on all examples" } as const;

/** Returns a bar in a terminal; elsewhere, occasional lines. */
export function createLearnProgressBar(): LearnProgressBar {
  return process.stderr.isTTY ? createBar() : createLines();
}

function createBar(): LearnProgressBar {
  const bar = new SingleBar({
    stream: process.stderr,
    format: "{title} {bar} {percentage}%, {phase}, {left} s left",
    hideCursor: true,
    clearOnComplete: true,
  });
  return {
    start: (title) => bar.start(1, 0, { title, phase: PHASES.start, left: "?" }),
    update: ({ done, phase, secondsLeft }) => bar.update(done, { phase: PHASES[phase], left: secondsLeft }),
    stop: () => bar.stop(),
  };
}

// cli-progress can write lines too, but would write one at the start and the end of even the shortest learning.
function createLines(): LearnProgressBar {
  let title = "";
  let lastTime = 0;
  return {
    start(newTitle) {
      title = newTitle;
      lastTime = Date.now();
    },
    update({ done, phase, secondsLeft }) {
      if (Date.now() - lastTime < LINE_MS) return;
      lastTime = Date.now();
      console.error(`${title}: ${Math.floor(100 * done)}%, ${PHASES[phase]}, ${secondsLeft} s left`);
    },
    stop() {},
  };
}
