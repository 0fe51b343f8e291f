import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { LearnProgress, Learnt, Task } from "../api/answers.ts";
import { colourOf } from "../parts/colours.ts";
import { Plot } from "../parts/plot.tsx";
import { countOf, percent } from "../parts/text.ts";
import { isDark } from "../state/theme.ts";
import { forget, undoProfile } from "./learning.ts";
import type { Point, TeachState } from "./state.ts";

const PLOT_HEIGHT = 180;

const PHASES = {
  start: "choosing a start",
  "left-out": "comparing candidates on held-out sentences",
  all: "training on all sentences",
};

/** Says what a learning does. Screen readers read it aloud, so it changes once a phase. */
const progressText = (progress: LearnProgress | null): string =>
  progress === null ? "Learning…" : `Learning: ${PHASES[progress.phase]}.`;

/** Says how far the user can trust that the profile is better than its start. */
function gainText({ generation, leftOut: { texts, trusted, gained, start, learnt } }: Learnt): string {
  if (trusted) {
    return `Your profile is surer of your labels than chance explains: its loss is ${learnt.loss.toFixed(2)}, the start's ${start.loss.toFixed(2)}.`;
  }
  if (gained) return `The gain may be chance on only ${countOf(texts, "sentence")}. Label more.`;
  return generation === null
    ? "There is no gain yet, so the profile stays as it was. Label more sentences."
    : "There is no gain yet. Label more sentences.";
}

function resultText(learnt: Learnt): string {
  const { texts, start, learnt: own } = learnt.leftOut;
  const startName = learnt.start === null ? "the task's default" : `the profile ${learnt.start}`;
  return `${percent(own.accuracy)} of ${texts} held-out sentences are right. Learning started from ${startName}, with ${percent(start.accuracy)}. ${gainText(learnt)}`;
}

function plotOptions(): Omit<uPlot.Options, "width" | "height"> {
  const axis = { stroke: colourOf("--ink-2"), grid: { stroke: colourOf("--plot-grid") }, font: "12px system-ui" };
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: [0, 100] } },
    axes: [
      { ...axis, label: "labelled sentences", incrs: [1, 2, 5, 10, 20, 50] },
      { ...axis, values: (_plot, ticks) => ticks.map((tick) => `${tick}%`) },
    ],
    series: [
      {},
      { stroke: colourOf("--plot-second"), width: 2, dash: [6, 4], points: { show: true } },
      { stroke: colourOf("--plot-first"), width: 3, points: { show: true, size: 8 } },
    ],
  };
}

const dataOf = (points: readonly Point[]): uPlot.AlignedData => [
  points.map(({ examples }) => examples),
  points.map(({ start }) => 100 * start),
  points.map(({ learnt }) => 100 * learnt),
];

/** What the profile has learnt: held-out accuracy by the number of labelled sentences. */
export function Outcome({ task, state }: { task: Task; state: TeachState }) {
  const points = state.points.value;
  const learnt = state.learnt.value;
  const isLearning = state.running.value !== null;
  const {
    original: { value: original },
    generation: { value: generation },
  } = state;
  const dark = isDark.value;
  const options = useMemo(plotOptions, [dark]);
  const data = useMemo(() => dataOf(points), [points]);
  const summary = points.map(({ examples, learnt: accuracy }) => `${percent(accuracy)} at ${examples}`).join(", ");
  return (
    <section class="card" aria-labelledby="outcome-title" aria-busy={isLearning}>
      <h2 id="outcome-title">Accuracy on held-out sentences</h2>
      {points.length > 0 ? (
        <>
          <Plot label={`Held-out accuracy: ${summary}`} height={PLOT_HEIGHT} options={options} data={data} />
          <p class="legend">
            <span class="line first" /> your profile <span class="line second" /> the start of its learning
          </p>
        </>
      ) : (
        <p class="empty">The curve starts with the first learning. Cross-validation holds each sentence out once.</p>
      )}
      <p id="learn-status" role="status">
        {isLearning ? progressText(state.progress.value) : learnt && resultText(learnt)}
      </p>
      {isLearning && <progress aria-label="Learning" max={1} value={state.progress.value?.done ?? 0} />}
      <div class="row">
        <label class="inline">
          <span>Your profile</span>
          <input
            id="profile"
            value={state.profile.value}
            autocomplete="off"
            spellcheck={false}
            pattern="[A-Za-z0-9][A-Za-z0-9._:@\-]{0,120}"
            title="1 to 121 of A-Z, a-z, 0-9 and . _ : @ -, the first of them a letter or a digit"
            required
            onChange={({ currentTarget }) => {
              if (!currentTarget.reportValidity()) {
                currentTarget.value = state.profile.value;
                return;
              }
              forget(state, null);
              state.profile.value = currentTarget.value;
            }}
          />
        </label>
        {typeof generation === "number" && (
          <>
            <span class="help">generation {generation}</span>
            {generation !== original && (
              <button
                type="button"
                class="quiet"
                id="undo-profile"
                onClick={() => {
                  undoProfile(task, state);
                  // The button goes with what it undoes.
                  document.getElementById("profile")?.focus();
                }}
              >
                {original === null ? "Delete the profile" : `Restore generation ${original}`}
              </button>
            )}
          </>
        )}
      </div>
    </section>
  );
}
