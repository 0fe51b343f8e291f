import { useSignalEffect } from "@preact/signals";
import type { Task } from "../api/answers.ts";
import { apiKey } from "../api/session.ts";
import { ProblemText } from "../parts/problem.tsx";
import { askAll } from "./agreement.ts";
import { AgreementPanel } from "./agreement-panel.tsx";
import { Cards } from "./cards.tsx";
import { Choices } from "./choices.tsx";
import { Hero } from "./hero.tsx";
import { isOnDevice } from "./on-device.ts";
import { predictChosen, readFirstProfiles } from "./predict.ts";
import { clearAnswers, compareState } from "./state.ts";
import { TimingsList } from "./timings.tsx";

/** How long the user must pause typing before the text is labelled, by the cards and by all profiles. */
const TYPING_MS = 150;
const TYPING_ALL_MS = 500;

/** Runs a task a moment after the last change. Returns a function that cancels it. */
function later(milliseconds: number, run: (signal: AbortSignal) => void): () => void {
  const controller = new AbortController();
  const timer = setTimeout(() => run(controller.signal), milliseconds);
  return () => {
    clearTimeout(timer);
    controller.abort();
  };
}

/** One text, many profiles: their answers appear as the user types, disagreement first. */
export function Compare({ task }: { task: Task }) {
  const state = compareState(task.task);
  useSignalEffect(() => {
    apiKey.value;
    state.cannotList.value = false;
    const before = state.ids.peek();
    if (before?.length) return;
    return later(0, (signal) => readFirstProfiles(task.task, state, before, signal));
  });
  useSignalEffect(() => {
    apiKey.value;
    isOnDevice.value;
    if (state.text.value.trim() === "" || !state.ids.value?.length) return void clearAnswers(state);
    return later(TYPING_MS, (signal) => predictChosen(task.task, state, signal));
  });
  useSignalEffect(() => {
    apiKey.value;
    if (state.text.value.trim() === "" || isOnDevice.value) {
      state.agreement.value = null;
      return;
    }
    return later(TYPING_ALL_MS, (signal) => askAll(task, state.text.peek(), state, signal));
  });
  return (
    <div class="compare">
      <Hero task={task.task} state={state} />
      {state.problem.value !== null && <ProblemText error={state.problem.value} />}
      <div class="columns">
        <section aria-labelledby="answers-title">
          <Cards task={task} state={state} />
          <Choices task={task.task} state={state} />
          <TimingsList timings={state.timings.value} />
        </section>
        <AgreementPanel task={task} state={state} />
      </div>
    </div>
  );
}
