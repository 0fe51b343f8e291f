import type { Outcome, Profile, Scored, Task } from "../api/answers.ts";
import { LabelMark, markClass } from "../parts/label-mark.tsx";
import { errorText } from "../parts/problem.tsx";
import { countOf, percent } from "../parts/text.ts";
import { disagreementFirst, majorityOf, majorityText } from "./majority.ts";
import type { CompareState } from "./state.ts";

interface Labels {
  placeOf(label: string): number;
}

/** Labels whose scores are in words. */
const NAMED = 2;

/** The best labels' scores as one bar, and in words. */
function Scores({ top, labels }: { top: readonly Scored[]; labels: Labels }) {
  return (
    <>
      <span class="stacked thin" aria-hidden="true">
        {top.map(({ label, score }) => (
          <span key={label} class={markClass(labels.placeOf(label))} style={{ inlineSize: `${100 * score}%` }} />
        ))}
      </span>
      <small>
        {top
          .slice(0, NAMED)
          .map(({ label, score }) => `${label} ${percent(score)}`)
          .join(", ")}
      </small>
    </>
  );
}

interface CardProps {
  readonly outcome: Outcome;
  readonly row: Profile | undefined;
  readonly differs: boolean;
  readonly labels: Labels;
}

function Card({ outcome, row, differs, labels }: CardProps) {
  const bytes = row && row.maskBytes + row.labelBiasBytes;
  const prediction = "prediction" in outcome ? outcome.prediction : null;
  return (
    <li class={differs ? "card differs" : "card"}>
      <p class="card-id">
        <span>{outcome.profile}</span>
        {bytes !== undefined && <small>{countOf(bytes, "byte")}</small>}
      </p>
      {prediction ? (
        <>
          <p class="card-label">
            <span>
              <LabelMark place={labels.placeOf(prediction.label)} />
              {prediction.label}
            </span>
            {differs && <small class="tag">differs</small>}
          </p>
          <Scores top={prediction.top ?? []} labels={labels} />
          {prediction.masks === "default" && <small>The task's default answers: there is no such profile.</small>}
        </>
      ) : (
        <p class="problem">{"error" in outcome ? errorText(outcome.error) : ""}</p>
      )}
    </li>
  );
}

/** The answer of each profile, disagreement first. */
export function Cards({ task, state }: { task: Task; state: CompareState }) {
  const outcomes = disagreementFirst(state.outcomes.value);
  const majority = majorityOf(outcomes);
  const labels: Labels = { placeOf: (label) => Math.max(0, task.labels.indexOf(label)) };
  const read = outcomes.find((outcome) => "prediction" in outcome && outcome.prediction.truncated);
  const hasProfiles = (state.ids.value?.length ?? 0) > 0;
  return (
    <>
      <h2 id="answers-title">
        {hasProfiles ? countOf(state.ids.value?.length ?? 0, "profile") : "Profiles"}, one sentence
      </h2>
      <p id="status" role="status">
        {majorityText(majority)}
        {read &&
          "prediction" in read &&
          ` The text is longer than the task reads: ${read.prediction.tokens} tokens were read.`}
        {state.cannotList.value && " Your key cannot list profiles, which takes the scope write. Enter ids below."}
        {!state.cannotList.value &&
          state.ids.value?.length === 0 &&
          "The task has no profiles yet. Teach the first one."}
      </p>
      <ul class="cards" id="answers" aria-busy={state.isPending.value}>
        {outcomes.map((outcome) => (
          <Card
            key={outcome.profile}
            outcome={outcome}
            row={state.rows.value.get(outcome.profile)}
            differs={
              "prediction" in outcome && majority.counts.length > 1 && outcome.prediction.label !== majority.label
            }
            labels={labels}
          />
        ))}
      </ul>
    </>
  );
}
