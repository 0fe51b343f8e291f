import { SingleBar } from "cli-progress";
import type { LearnProgress } from "../../src/learn/progress.ts";

/** Shows on stderr where a learning is. */
export interface LearnProgressBar {
  begin(what: string): void;
  tell(progress: LearnProgress): void;
  end(): void;
}

/** Where there is no terminal, a line is printed as often as this. */
const PLAIN_MS = 10_000;

const PHASES = { start: "choosing a start", "left-out": "trying on left-out texts", all: "learning from all" } as const;

/** A bar in a terminal; plain lines now and then elsewhere. */
export function createLearnProgressBar(): LearnProgressBar {
  return process.stderr.isTTY ? bar() : plain();
}

function bar(): LearnProgressBar {
  const single = new SingleBar({
    stream: process.stderr,
    format: "{what} {bar} {percentage}%, {phase}, {left} s left",
    hideCursor: true,
    clearOnComplete: true,
  });
  return {
    begin: (what) => single.start(1, 0, { what, phase: PHASES.start, left: "?" }),
    tell: ({ done, phase, secondsLeft }) => single.update(done, { phase: PHASES[phase], left: secondsLeft }),
    end: () => single.stop(),
  };
}

function plain(): LearnProgressBar {
  let what = "";
  let told = 0;
  return {
    begin(next) {
      what = next;
      told = Date.now();
    },
    tell({ done, phase, secondsLeft }) {
      if (Date.now() - told < PLAIN_MS) return;
      told = Date.now();
      console.error(`${what}: ${Math.floor(100 * done)}%, ${PHASES[phase]}, ${secondsLeft} s left`);
    },
    end() {},
  };
}
