import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { LabelledText, LearnProgress, Learnt, Prediction, Task } from "../api/answers.ts";
import { linesOf, splitLabel } from "../parts/text.ts";
import { sentencesOf } from "../state/examples.ts";

/** The fewest labelled sentences that a learning starts with: chance explains any gain on fewer. */
export const MIN_EXAMPLES = 6;
/** As many as the service learns from. */
const MAX_SENTENCES = 200;

/** What the user has entered: sentences, and the labels of some of them. */
export interface Work {
  readonly sentences: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** Held-out accuracy after a learning, 0 to 1, of the profile and of the start of its learning. */
export interface Point {
  readonly examples: number;
  readonly start: number;
  readonly learnt: number;
}

/** The state of the view for one task. It outlives the view, so that the user finds it again. */
export interface TeachState {
  readonly profile: Signal<string>;
  readonly work: ReadonlySignal<Work>;
  readonly examples: ReadonlySignal<readonly LabelledText[]>;
  /** The sentence to label next; undefined if all have a label. */
  readonly current: ReadonlySignal<string | undefined>;
  readonly canUndo: ReadonlySignal<boolean>;
  /** The generation of the profile; null if there is none, undefined if the key cannot read it. */
  readonly generation: Signal<number | null | undefined>;
  readonly points: Signal<readonly Point[]>;
  readonly learnt: Signal<Learnt | null>;
  readonly progress: Signal<LearnProgress | "starting" | null>;
  readonly problem: Signal<unknown>;
  /** Answers by sentence: of the task's default profile, and of the user's own. */
  readonly before: Signal<ReadonlyMap<string, Prediction>>;
  readonly now: Signal<ReadonlyMap<string, Prediction>>;
  change(next: Partial<Work>): void;
  undo(): void;
}

/** Returns an id that nobody has, for a profile of the user. */
const newProfileId = () => `me-${crypto.randomUUID().slice(0, 6)}`;

const states = new Map<string, TeachState>();

/** Returns the state of the view for a task. */
export function teachState(task: string): TeachState {
  const known = states.get(task);
  if (known) return known;
  const steps = signal<readonly Work[]>([{ sentences: sentencesOf(task), labels: new Map() }]);
  const work = computed<Work>(() => steps.value.at(-1) ?? { sentences: [], labels: new Map() });
  const state: TeachState = {
    profile: signal(newProfileId()),
    work,
    examples: computed(() => [...work.value.labels].map(([text, label]) => ({ text, label }))),
    current: computed(() => work.value.sentences.find((sentence) => !work.value.labels.has(sentence))),
    canUndo: computed(() => steps.value.length > 1),
    generation: signal(null),
    points: signal([]),
    learnt: signal(null),
    progress: signal(null),
    problem: signal(null),
    before: signal(new Map()),
    now: signal(new Map()),
    change(next) {
      steps.value = [...steps.value, { ...work.value, ...next }];
    },
    undo() {
      if (steps.value.length > 1) steps.value = steps.value.slice(0, -1);
    },
  };
  states.set(task, state);
  return state;
}

/** Gives a sentence a label, or takes its label away. */
export function setLabel(state: TeachState, sentence: string, label: string | null): void {
  const labels = new Map(state.work.value.labels);
  if (label === null) labels.delete(sentence);
  else labels.set(sentence, label);
  state.change({ labels });
}

/** Removes a sentence and its label. */
export function removeSentence(state: TeachState, sentence: string): void {
  const labels = new Map(state.work.value.labels);
  labels.delete(sentence);
  state.change({ sentences: state.work.value.sentences.filter((one) => one !== sentence), labels });
}

/** Adds lines as sentences, each once. A line's label may follow a tab. @throws RangeError if they are too many */
export function addSentences(state: TeachState, entered: string, { labels: taskLabels }: Task): void {
  const { sentences, labels } = state.work.value;
  const lines = linesOf(entered).map((line) => splitLabel(line, taskLabels) ?? { text: line.trim(), label: null });
  const all = [...new Set([...lines.map(({ text }) => text), ...sentences])];
  if (all.length > MAX_SENTENCES)
    throw new RangeError(`${all.length} sentences are too many: the limit is ${MAX_SENTENCES}.`);
  const added = lines.flatMap(({ text, label }) => (label === null ? [] : [[text, label] as const]));
  state.change({ sentences: all, labels: new Map([...labels, ...added]) });
}
