import { useSignal } from "@preact/signals";
import type { FanOutFailure, FanOutMember, Task } from "../api/answers.ts";
import { hasCode, KEY_PROBLEMS } from "../api/request.ts";
import { LabelMark, markClass } from "../parts/label-mark.tsx";
import { ProblemText } from "../parts/problem.tsx";
import { countOf, exactPercent, numberText } from "../parts/text.ts";
import { WindowedList } from "../parts/windowed-list.tsx";
import { isOnDevice } from "./on-device.ts";
import type { CompareState } from "./state.ts";

const ROW_HEIGHT = 36;
/** Labels that are listed before the user asks for all. */
const FIRST_LABELS = 8;

/** The profiles that give a label, the surest first. */
function Members({ label, members }: { label: string; members: readonly FanOutMember[] }) {
  const chosen = useSignal<string | null>(null);
  const sorted = members.toSorted((a, b) => b.score - a.score);
  return (
    <>
      <h3>
        {label}: {countOf(members.length, "profile")}, the surest first
      </h3>
      <WindowedList
        id="members"
        label={`Profiles that say ${label}`}
        items={sorted}
        rowHeight={ROW_HEIGHT}
        chosen={sorted.findIndex(({ profile }) => profile === chosen.value)}
        onChoose={(place) => {
          chosen.value = sorted[place]?.profile ?? null;
        }}
        keyOf={({ profile }) => profile}
      >
        {(member) => (
          <>
            <span>{member.profile}</span>
            <span class="number">{exactPercent(member.score)}</span>
          </>
        )}
      </WindowedList>
    </>
  );
}

function failuresText(failures: readonly FanOutFailure[]): string {
  const [first] = failures;
  return first ? ` ${countOf(failures.length, "profile")} cannot answer. ${first.profile}: ${first.error.detail}` : "";
}

const titleOf = (profiles: number): string =>
  profiles === 1 ? "The only profile" : `All ${countOf(profiles, "profile")}`;

/** What all profiles of the task say, as one bar. */
export function AgreementPanel({ task, state }: { task: Task; state: CompareState }) {
  const chosen = useSignal<string | null>(null);
  const showsAll = useSignal(false);
  const problem = state.agreementProblem.value;
  const agreement = state.agreement.value;
  const lacksKey = problem !== null && hasCode(problem, KEY_PROBLEMS);
  if (lacksKey) {
    return (
      <section class="agreement" aria-labelledby="agreement-title">
        <h2 id="agreement-title">All profiles</h2>
        <p>To see what all profiles say, use a key with the scopes predict and list.</p>
      </section>
    );
  }
  const placeOf = (label: string) => Math.max(0, task.labels.indexOf(label));
  const groups = [...(agreement?.byLabel ?? [])].sort(([, a], [, b]) => b.length - a.length);
  const total = groups.reduce((sum, [, members]) => sum + members.length, 0);
  const shown = showsAll.value ? groups : groups.slice(0, FIRST_LABELS);
  const members = chosen.value === null ? undefined : agreement?.byLabel.get(chosen.value);
  return (
    <section class="agreement" aria-labelledby="agreement-title">
      <h2 id="agreement-title">{agreement ? titleOf(agreement.profiles) : "All profiles"}</h2>
      {problem !== null && <ProblemText error={problem} />}
      {isOnDevice.value && <p>The sentence stays on this device, so only the cards label it.</p>}
      <p id="agreement-status" class="help" role="status">
        {agreement?.isPartial ? "Labelling…" : ""}
        {agreement && !agreement.isPartial && agreement.profiles === 0 ? "The task has no profiles yet." : ""}
        {agreement && failuresText(agreement.failures)}
      </p>
      <div class="stacked" aria-hidden="true">
        {groups.map(([label, { length }]) => (
          <span
            key={label}
            class={markClass(placeOf(label))}
            style={{ inlineSize: `${(100 * length) / Math.max(1, total)}%` }}
          />
        ))}
      </div>
      <ul class="groups" aria-busy={agreement !== null && (agreement.isPartial || agreement.text !== state.text.value)}>
        {shown.map(([label, { length }]) => (
          <li key={label}>
            <button
              type="button"
              aria-pressed={chosen.value === label}
              onClick={() => {
                chosen.value = chosen.value === label ? null : label;
              }}
            >
              <LabelMark place={placeOf(label)} />
              <span>{label}</span>
              <span class="number">
                {numberText(length)} ({exactPercent(length / Math.max(1, total))})
              </span>
            </button>
          </li>
        ))}
      </ul>
      {groups.length > FIRST_LABELS && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            showsAll.value = !showsAll.value;
          }}
        >
          {showsAll.value ? "Show fewer labels" : `Show all ${groups.length} labels`}
        </button>
      )}
      {chosen.value !== null && members && <Members key={chosen.value} label={chosen.value} members={members} />}
    </section>
  );
}
