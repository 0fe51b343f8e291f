import { createLiveLine, formatBar, type LiveLine } from "../live-line.ts";

/** Shows the progress of learning on standard error. */
export interface LearnProgressBar {
  /** @param title what is learnt */
  start(title: string): void;
  update(progress: ShownProgress): void;
  stop(): void;
}

/** Milliseconds between lines outside of a terminal. */
const LINE_MS = 10_000;

/** Phases of learning a profile, and those of learning a task. */
const PHASES = {
  start: "choosing a start",
  "left-out": "cross-validation",
  all: "training on all examples",
  reading: "reading the texts",
  fitting: "fitting",
} as const;

/** Progress as the bar shows it. */
interface ShownProgress {
  readonly phase: keyof typeof PHASES;
  readonly done: number;
  readonly secondsLeft: number;
}

/** Returns a bar in a terminal; elsewhere, occasional lines. */
export function createLearnProgressBar(): LearnProgressBar {
  const line = createLiveLine();
  return line ? createBar(line) : createLines();
}

const formatProgress = ({ done, phase, secondsLeft }: ShownProgress): string =>
  `${Math.floor(100 * done)}%, ${PHASES[phase]}, ${secondsLeft} s left`;

function createBar(line: LiveLine): LearnProgressBar {
  let title = "";
  let startMs = 0;
  return {
    start(newTitle) {
      title = newTitle;
      startMs = Date.now();
      line.show(`${title}: ${formatBar(0)}`);
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
    update(progress: ShownProgress) {
      if (Date.now() - lastTime < LINE_MS) return;
      lastTime = Date.now();
      console.error(`${title}: ${formatProgress(progress)}`);
    },
    stop() {},
  };
}
