import type { LearnProgress } from "../shared/answers.ts";
import { lossText, percent } from "../shared/text.ts";
import { elements } from "./elements.ts";
import { showStatus } from "./status.ts";

const PHASES = {
  start: "choosing a start",
  "left-out": "comparing candidates on held-out examples",
  all: "training on all examples",
};

const BEGINNING = { phase: "start", pass: 0, passes: 0, loss: null, leftOutAccuracy: null, done: 0 } as const;

/** Shows how far a learning is. */
export function showProgress(progress: Omit<LearnProgress, "secondsLeft"> & { secondsLeft: number | null }): void {
  const { phase, pass, passes, loss, leftOutAccuracy, done, secondsLeft } = progress;
  const words = PHASES[phase];
  elements.progressBar.value = done;
  elements.progressBar.ariaValueText = `${percent(done)}, ${words}`;
  elements.phase.textContent = words;
  elements.pass.textContent = passes > 0 ? `${pass} of ${passes}` : "–";
  elements.loss.textContent = lossText(loss);
  elements.accuracy.textContent = percent(leftOutAccuracy);
  elements.secondsLeft.textContent = secondsLeft === null ? "–" : String(secondsLeft);
  // A screen reader reads each change of the status aloud, so it changes once a phase and not twice a second.
  const status = `Learning: ${words}.`;
  if (elements.status.textContent !== status) showStatus(status);
}

/** Shows a learning that has not reported any progress yet. */
export const showNoProgress = (): void => showProgress({ ...BEGINNING, secondsLeft: null });
