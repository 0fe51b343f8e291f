import { useEffect } from "preact/hooks";
import type { Task } from "../api/answers.ts";
import { LabelMark } from "../parts/label-mark.tsx";
import { countOf } from "../parts/text.ts";
import { numberKeys } from "../state/number-keys.ts";
import { MIN_EXAMPLES, setLabel, type TeachState } from "./state.ts";

/** Labels with a number key. */
const KEYS = 9;

/** Returns the labels in the order of their keys: those that a prediction finds likely first, where there are many. */
function labelsInOrder({ labels }: Task, state: TeachState, sentence: string): readonly string[] {
  if (labels.length <= KEYS) return labels;
  const prediction = state.now.value.get(sentence) ?? state.before.value.get(sentence);
  const likely = prediction?.top?.map(({ label }) => label) ?? [];
  return [...likely, ...labels.filter((label) => !likely.includes(label))];
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

/** The next sentence, with a button and a number key for each label. */
export function LabelNext({ task, state }: { task: Task; state: TeachState }) {
  const sentence = state.current.value;
  const labels = sentence === undefined ? [] : labelsInOrder(task, state, sentence);
  const [done, all] = [state.labels.value.size, state.sentences.value.length];

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.altKey || event.repeat) return;
      if ((event.ctrlKey || event.metaKey) && event.key === "z") {
        event.preventDefault();
        state.undo();
        return;
      }
      if (event.ctrlKey || event.metaKey || !numberKeys.value) return;
      const label = /^[1-9]$/.test(event.key) ? labels[Number(event.key) - 1] : undefined;
      if (label === undefined || sentence === undefined) return;
      setLabel(state, sentence, label);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  });

  const missing = MIN_EXAMPLES - state.examples.value.length;
  const kinds = new Set(state.examples.value.map(({ label }) => label)).size;
  return (
    <section class="card label-next" aria-labelledby="next-title">
      <h2 id="next-title">
        {done} of {all} labelled
      </h2>
      <p id="next-sentence" class="sentence" aria-live="polite">
        {sentence ?? (all === 0 ? "Add sentences below." : "All sentences have a label. Add more below.")}
      </p>
      {sentence !== undefined && (
        <fieldset class="row">
          <legend>How would you label it? {numberKeys.value && "Press a number key, or a button."}</legend>
          {labels.slice(0, KEYS).map((label, place) => (
            <button key={label} type="button" onClick={() => setLabel(state, sentence, label)}>
              {numberKeys.value && <kbd>{place + 1}</kbd>}
              <LabelMark place={task.labels.indexOf(label)} />
              {label}
            </button>
          ))}
          {labels.length > KEYS && (
            <select
              aria-label="Another label"
              value=""
              onChange={({ currentTarget }) => setLabel(state, sentence, currentTarget.value)}
            >
              <option value="">another label…</option>
              {labels.slice(KEYS).map((label) => (
                <option key={label}>{label}</option>
              ))}
            </select>
          )}
        </fieldset>
      )}
      <p class="row">
        <button type="button" class="quiet" id="undo" disabled={!state.canUndo.value} onClick={() => state.undo()}>
          Undo <kbd>Ctrl Z</kbd>
        </button>
        <label class="check">
          <input
            type="checkbox"
            id="number-keys"
            checked={numberKeys.value}
            onChange={({ currentTarget }) => {
              numberKeys.value = currentTarget.checked;
            }}
          />{" "}
          Number keys
        </label>
      </p>
      <p class="help" id="next-help">
        {missing > 0
          ? `Learning starts after ${countOf(missing, "more label")}.`
          : kinds < 2
            ? "Learning starts when two labels differ."
            : "Each label more starts the learning again."}
      </p>
    </section>
  );
}
