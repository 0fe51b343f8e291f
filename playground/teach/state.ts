import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
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

/** The generation of a profile; null if there is none, undefined if the key cannot read it. */
type Generation = number | null | undefined;

/** The state of the view for one task. It outlives the view, so that the user finds it again. */
export interface TeachState {
  readonly profile: Signal<string>;
  readonly sentences: ReadonlySignal<readonly string[]>;
  readonly labels: ReadonlySignal<ReadonlyMap<string, string>>;
  readonly examples: ReadonlySignal<readonly LabelledText[]>;
  /** The sentence to label next; undefined if all have a label. */
  readonly current: ReadonlySignal<string | undefined>;
  readonly canUndo: ReadonlySignal<boolean>;
  readonly generation: Signal<Generation | "unread">;
  /** The generation from before the page wrote the profile; null if the profile is new. */
  readonly original: Signal<number | null>;
  /** The examples of the last learning, whatever became of it; null if there is none. */
  readonly attempted: Signal<readonly LabelledText[] | null>;
  /** The learning that is running. It goes on in other views. */
  readonly running: Signal<AbortController | null>;
  /** Whether the profile is not the page's own, and the user has to agree to its being replaced. */
  readonly needsConsent: Signal<boolean>;
  readonly points: Signal<readonly Point[]>;
  readonly learnt: Signal<Learnt | null>;
  readonly progress: Signal<LearnProgress | null>;
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

/** What a tab keeps of a task until it is closed: a reload loses no label. */
interface Stored {
  readonly profile: string;
  readonly sentences: readonly string[];
  readonly labels: readonly (readonly [string, string])[];
}

const storedAs = (task: string): string => `xpeft-teach-${task}`;

function readStored(task: string): Stored {
  const stored = sessionStorage.getItem(storedAs(task));
  return stored === null
    ? { profile: newProfileId(), sentences: sentencesOf(task), labels: [] }
    : (JSON.parse(stored) as Stored);
}

function createState(task: string): TeachState {
  const stored = readStored(task);
  const steps = signal<readonly Work[]>([{ sentences: stored.sentences, labels: new Map(stored.labels) }]);
  const work = computed<Work>(() => steps.value.at(-1) ?? { sentences: [], labels: new Map() });
  const sentences = computed(() => work.value.sentences);
  const labels = computed(() => work.value.labels);
  const profile = signal(stored.profile);
  effect(() => {
    const kept: Stored = { profile: profile.value, sentences: sentences.value, labels: [...labels.value] };
    sessionStorage.setItem(storedAs(task), JSON.stringify(kept));
  });
  return {
    profile,
    sentences,
    labels,
    examples: computed(() => [...labels.value].map(([text, label]) => ({ text, label }))),
    current: computed(() => sentences.value.find((sentence) => !labels.value.has(sentence))),
    canUndo: computed(() => steps.value.length > 1),
    generation: signal("unread"),
    original: signal(null),
    attempted: signal(null),
    running: signal(null),
    needsConsent: signal(false),
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
}

/** Returns the state of the view for a task. */
export function teachState(task: string): TeachState {
  const state = states.get(task) ?? createState(task);
  states.set(task, state);
  return state;
}

/** Gives a sentence a label, or takes its label away. */
export function setLabel(state: TeachState, sentence: string, label: string | null): void {
  const labels = new Map(state.labels.value);
  if (label === null) labels.delete(sentence);
  else labels.set(sentence, label);
  state.change({ labels });
}

/** Removes a sentence and its label. */
export function removeSentence(state: TeachState, sentence: string): void {
  const labels = new Map(state.labels.value);
  labels.delete(sentence);
  state.change({ sentences: state.sentences.value.filter((one) => one !== sentence), labels });
}

/** Adds lines as sentences, each once. A line's label may follow a tab. @throws RangeError if they are too many */
export function addSentences(state: TeachState, entered: string, { labels: taskLabels }: Task): void {
  const [sentences, labels] = [state.sentences.value, state.labels.value];
  const lines = linesOf(entered)
    .map((line) => splitLabel(line, taskLabels) ?? { text: line.trim(), label: null })
    .filter(({ text }) => text.trim() !== "");
  const all = [...new Set([...lines.map(({ text }) => text), ...sentences])];
  if (all.length > MAX_SENTENCES)
    throw new RangeError(`${all.length} sentences are too many: the limit is ${MAX_SENTENCES}.`);
  const added = lines.flatMap(({ text, label }) => (label === null ? [] : [[text, label] as const]));
  state.change({ sentences: all, labels: new Map([...labels, ...added]) });
}
