import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
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
  const open = useRef(new AbortController());
  const wanted = useRef(false);
  useEffect(() => () => open.current.abort(), []);
  useSignalEffect(() => {
    apiKey.value;
    state.work.value.sentences;
    state.profile.value;
    const controller = new AbortController();
    const timer = setTimeout(() => answerSentences(task, state, controller.signal), 0);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  });

  /** Learns, and again if the labels have changed meanwhile: a learning at a time. */
  async function learnUntilDone(): Promise<void> {
    if (state.progress.peek() !== null) {
      wanted.current = true;
      return;
    }
    do {
      wanted.current = false;
      await learnNow(task, state, open.current.signal);
    } while (wanted.current && !open.current.signal.aborted);
  }
  const last = useRef(state.examples.peek());
  useSignalEffect(() => {
    const examples = state.examples.value;
    if (examples === last.current || !canLearn(state)) return;
    const timer = setTimeout(() => {
      last.current = examples;
      learnUntilDone();
    }, LEARN_AFTER_MS);
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
      {state.problem.value !== null && (
        <>
          <ProblemText error={state.problem.value} />
          <button type="button" onClick={learnUntilDone}>
            Learn
          </button>
        </>
      )}
      <SentenceTable task={task} state={state} />
      <AddSentences task={task} state={state} />
      <ClosestProfiles task={task} state={state} />
    </div>
  );
}
