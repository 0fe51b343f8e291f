import { useSignalEffect } from "@preact/signals";
import type { Task } from "../api/answers.ts";
import { apiKey } from "../api/session.ts";
import { ProblemText } from "../parts/problem.tsx";
import { AddSentences } from "./add-sentences.tsx";
import { ClosestProfiles } from "./closest-profiles.tsx";
import { LabelNext } from "./label-next.tsx";
import { answerSentences, canLearn, learnNow } from "./learning.ts";
import { Outcome } from "./outcome.tsx";
import { SentenceTable } from "./sentence-table.tsx";
import { teachState } from "./state.ts";

/** How long the user must pause before a learning starts. */
const LEARN_AFTER_MS = 800;

/** Label sentences, and see a profile learn from them: held-out accuracy, and what changes in its answers. */
export function Teach({ task }: { task: Task }) {
  const state = teachState(task.task);
  useSignalEffect(() => {
    apiKey.value;
    state.sentences.value;
    state.profile.value;
    state.generation.value;
    const controller = new AbortController();
    const timer = setTimeout(() => answerSentences(task, state, controller.signal));
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  });
  useSignalEffect(() => {
    const isDue = state.examples.value !== state.attempted.value && canLearn(state);
    if (!isDue || state.running.value !== null) return;
    const timer = setTimeout(() => learnNow(task, state), LEARN_AFTER_MS);
    return () => clearTimeout(timer);
  });
  return (
    <div class="teach">
      <section class="hero" aria-labelledby="title">
        <h1 id="title">Teach a classifier of your own</h1>
        <p class="lead">
          Label a few sentences as you would. The service learns your profile from them, and forgets the sentences. You
          see at once what changes.
        </p>
      </section>
      <div class="columns">
        <LabelNext task={task} state={state} />
        <Outcome task={task} state={state} />
      </div>
      {state.problem.value !== null && <ProblemText error={state.problem.value} />}
      {state.needsConsent.value && (
        <p role="alert">
          There is a profile {state.profile.value} already. Learning replaces it. You can restore it afterwards.
        </p>
      )}
      {(state.problem.value !== null || state.needsConsent.value) && canLearn(state) && (
        <p>
          <button type="button" id="learn" onClick={() => learnNow(task, state, state.needsConsent.peek())}>
            Learn
          </button>
        </p>
      )}
      <SentenceTable task={task} state={state} />
      <AddSentences task={task} state={state} />
      <ClosestProfiles task={task} state={state} />
    </div>
  );
}
