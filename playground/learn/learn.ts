import { linesOf } from "../shared/text.ts";
import { type Before, readBefore, readRow } from "./before.ts";
import { elements } from "./elements.ts";
import { type Learning, lastLearning, setLastLearning } from "./last-learning.ts";
import { showMaskChanges } from "./mask-changes.ts";
import type { ProfileName } from "./predict.ts";
import { showNoProgress } from "./progress.ts";
import { requestLearning } from "./request-learning.ts";
import { showResult } from "./result.ts";
import { showPredictions } from "./show-predictions.ts";
import { showError, showStatus } from "./status.ts";

let running: AbortController | null = null;

/** Stops the learning that is running, if there is one. */
export const stopLearning = (): void => running?.abort();

function setLearning(isLearning: boolean): void {
  elements.fields.disabled = isLearning;
  elements.learn.disabled = isLearning;
  elements.stop.disabled = !isLearning;
  elements.undo.disabled = isLearning;
  elements.progress.hidden = !isLearning;
}

/** Says what a stopped learning has left. It may have written the profile in its very last moment. */
async function showStopped(name: ProfileName, before: Before | null): Promise<void> {
  if (before === null) return showStatus("Stopped. Nothing was written.");
  const row = before.row === undefined ? undefined : await readRow(name).catch(() => undefined);
  if (row === undefined) return showStatus("Stopped. The page cannot read the profile to check that it is unchanged.");
  if (row === null) return showStatus("Stopped. Nothing was written: the profile does not exist.");
  const isUnchanged = row.generation === before.row?.generation;
  showStatus(
    isUnchanged
      ? `Stopped. Nothing was written: the profile is still at generation ${row.generation}.`
      : `Stopped too late: the profile was written as generation ${row.generation}.`,
  );
}

function clear(): void {
  showNoProgress();
  elements.trouble.replaceChildren();
  elements.answers.replaceChildren();
  elements.predictStatus.textContent = "";
  elements.result.hidden = true;
}

/** Learns the profile, and shows the result and what changed. */
export async function learn(): Promise<void> {
  const name = { task: elements.task.value, profile: elements.profile.value };
  running = new AbortController();
  const { signal } = running;
  let before: Before | null = null;
  let learning: Learning;
  clear();
  setLearning(true);
  elements.stop.focus();
  try {
    before = await readBefore(name, linesOf(elements.texts.value), signal);
    const learnt = await requestLearning(name, before, signal);
    learning = { name, before, learnt };
    setLastLearning(learning);
  } catch (error) {
    setLearning(false);
    elements.result.hidden = lastLearning() === null;
    elements.learn.focus();
    if (signal.aborted) return showStopped(name, before);
    return showError(error);
  }
  setLearning(false);
  const { seconds, generation } = learning.learnt;
  const outcome = generation === null ? " Nothing was written: there is no gain." : "";
  showStatus(`Learnt in ${seconds.toFixed(1)} s.${outcome}`);
  showResult(learning);
  elements.resultTitle.focus();
  await Promise.all([showMaskChanges(learning), showPredictions()]);
}
