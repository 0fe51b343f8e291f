import type { LearnProgress } from "../../src/learn/progress.ts";
import { createLiveLine, formatBar, type LiveLine } from "../live-line.ts";

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
  const line = createLiveLine();
  return line ? createBar(line) : createLines();
}

const formatProgress = ({ done, phase, secondsLeft }: LearnProgress): string =>
  `${Math.floor(100 * done)}%, ${PHASES[phase]}, ${secondsLeft} s left`;

function createBar(line: LiveLine): LearnProgressBar {
  let title = "";
  let startMs = 0;
  return {
    start(newTitle) {
      title = newTitle;
      startMs = Date.now();
      line.show(`${title}: ${PHASES.start}`);
    },
    update: (progress) => line.show(`${title}: ${formatBar(progress.done)} ${formatProgress(progress)}`),
    stop() {
      // Ctrl-C also stops a bar that has not begun.
      if (title === "") return;
      line.show(`${title}: took ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
      line.end();
      title = "";
    },
  };
}

/** Short learning writes no line at all. */
function createLines(): LearnProgressBar {
  let title = "";
  let lastTime = 0;
  return {
    start(newTitle) {
      title = newTitle;
      lastTime = Date.now();
    },
    update(progress) {
      if (Date.now() - lastTime < LINE_MS) return;
      lastTime = Date.now();
      console.error(`${title}: ${formatProgress(progress)}`);
    },
    stop() {},
  };
}
