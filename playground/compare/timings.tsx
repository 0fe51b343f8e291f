import type { Timings } from "../api/answers.ts";

const PHASES = {
  tokenize: "Split into tokens",
  masks: "Read profiles",
  merge: "Merge adapters",
  encoder: "Language model",
  head: "Heads",
  total: "Total",
} as const;

/** How long the phases of the last request took, on the service or on this device. */
export function TimingsList({ timings }: { timings: Timings | null }) {
  if (!timings) return null;
  const phases = Object.keys(PHASES) as (keyof typeof PHASES)[];
  return (
    <details id="timings">
      <summary>How long it took: {timings.total.toFixed(0)} ms</summary>
      <dl class="facts">
        {phases.map((phase) => (
          <div key={phase}>
            <dt>{PHASES[phase]}</dt>
            <dd>{timings[phase].toFixed(0)} ms</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
