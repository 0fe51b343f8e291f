import { useSignal } from "@preact/signals";
import type { Prediction, Task } from "../api/answers.ts";
import { LabelMark } from "../parts/label-mark.tsx";
import { countOf } from "../parts/text.ts";
import { removeSentence, setLabel, type TeachState } from "./state.ts";

/** Rows that are shown at once, before the user asks for more: many rows take a phone long to draw. */
const FIRST_ROWS = 15;

interface AnswerProps {
  readonly task: Task;
  readonly prediction: Prediction | undefined;
  readonly changed: boolean;
}

const Answer = ({ task, prediction, changed }: AnswerProps) => (
  <td class={changed ? "changed" : ""}>
    {prediction ? (
      <>
        <LabelMark place={Math.max(0, task.labels.indexOf(prediction.label))} />
        {prediction.label}
        {changed && <small class="tag">changed</small>}
      </>
    ) : (
      "…"
    )}
  </td>
);

/** All sentences: the user's labels, and what the task's default and the user's profile say. */
export function SentenceTable({ task, state }: { task: Task; state: TeachState }) {
  const [sentences, labels] = [state.sentences.value, state.labels.value];
  const hasLearnt = typeof state.generation.value === "number" && state.learnt.value !== null;
  const [before, now] = [state.before.value, hasLearnt ? state.now.value : new Map<string, Prediction>()];
  const isChanged = (sentence: string) => {
    const [was, is] = [before.get(sentence), now.get(sentence)];
    return was !== undefined && is !== undefined && was.label !== is.label;
  };
  const changed = sentences.filter(isChanged).length;
  const shown = useSignal(FIRST_ROWS);
  if (sentences.length === 0) return null;
  const more = sentences.length - shown.value;
  return (
    <section aria-labelledby="sentences-title">
      <h2 id="sentences-title">Your sentences</h2>
      <p id="changed" role="status">
        {hasLearnt && `Your profile answers ${countOf(changed, "sentence")} differently from the task's default.`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls needs the focus */}
      <section class="scrolls" aria-label="Table of your sentences" tabIndex={0}>
        <table id="sentences">
          <thead>
            <tr>
              <th scope="col">Sentence</th>
              <th scope="col">Your label</th>
              <th scope="col">Default</th>
              <th scope="col">Your profile</th>
              <th scope="col">
                <span class="hidden">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sentences.slice(0, shown.value).map((sentence) => (
              <tr key={sentence}>
                <th scope="row">{sentence}</th>
                <td>
                  <select
                    aria-label={`Your label of “${sentence}”`}
                    value={labels.get(sentence) ?? ""}
                    onChange={({ currentTarget }) => setLabel(state, sentence, currentTarget.value || null)}
                  >
                    <option value="">none</option>
                    {task.labels.map((label) => (
                      <option key={label}>{label}</option>
                    ))}
                  </select>
                </td>
                <Answer task={task} prediction={before.get(sentence)} changed={false} />
                {hasLearnt ? (
                  <Answer task={task} prediction={now.get(sentence)} changed={isChanged(sentence)} />
                ) : (
                  <td>–</td>
                )}
                <td>
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`Remove “${sentence}”`}
                    onClick={() => {
                      removeSentence(state, sentence);
                      // The button is gone with its row.
                      document.getElementById("sentences")?.parentElement?.focus();
                    }}
                  >
                    ×
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {more > 0 && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            shown.value += FIRST_ROWS;
          }}
        >
          Show {Math.min(more, FIRST_ROWS)} more of {countOf(more, "sentence")}
        </button>
      )}
    </section>
  );
}
