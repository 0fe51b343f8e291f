import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Task } from "../api/answers.ts";
import { ProblemText } from "../parts/problem.tsx";
import { countOf } from "../parts/text.ts";
import { type Closeness, closestProfiles } from "./closest.ts";
import type { TeachState } from "./state.ts";

/** Finds the profiles of the task that label as the user does. */
export function ClosestProfiles({ task, state }: { task: Task; state: TeachState }) {
  const found = useSignal<{ readonly of: number; readonly profiles: readonly Closeness[] } | null>(null);
  const done = useSignal<number | null>(null);
  const problem = useSignal<unknown>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const examples = state.examples.value;

  async function find(): Promise<void> {
    const controller = new AbortController();
    running.current = controller;
    [problem.value, done.value, found.value] = [null, 0, null];
    try {
      const profiles = await closestProfiles(task, state.profile.peek(), examples, controller.signal, (texts) => {
        done.value = texts;
      });
      found.value = { of: examples.length, profiles };
    } catch (error) {
      if (!controller.signal.aborted) problem.value = error;
    } finally {
      done.value = null;
    }
  }
  return (
    <section class="card" aria-labelledby="closest-title">
      <h2 id="closest-title">Who labels as you do?</h2>
      <p class="help">All profiles of the task label your {countOf(examples.length, "labelled sentence")}.</p>
      <div class="row">
        <button type="button" id="find-closest" disabled={examples.length === 0 || done.value !== null} onClick={find}>
          Find the closest profiles
        </button>
        {done.value !== null && (
          <button type="button" class="quiet" onClick={() => running.current?.abort()}>
            Stop
          </button>
        )}
      </div>
      <p role="status">{done.value !== null && `${done.value} of ${countOf(examples.length, "sentence")} compared.`}</p>
      {problem.value !== null && <ProblemText error={problem.value} />}
      {found.value && (
        <ol id="closest">
          {found.value.profiles.map(({ profile, agreed }) => (
            <li key={profile}>
              {profile}: the same label for {agreed} of {found.value?.of}
            </li>
          ))}
        </ol>
      )}
      {found.value?.profiles.length === 0 && <p>No profile gives any of your labels.</p>}
    </section>
  );
}
