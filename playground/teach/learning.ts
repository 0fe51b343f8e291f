import { batch } from "@preact/signals";
import type { LabelledText, Learnt, Prediction, Profile, Task } from "../api/answers.ts";
import { learn } from "../api/learn.ts";
import { predictTexts } from "../api/predict.ts";
import { hasCode, KEY_PROBLEMS, profilePath, requestJson } from "../api/request.ts";
import { MIN_EXAMPLES, type TeachState } from "./state.ts";

/** Texts of a request. */
const TEXTS_A_REQUEST = 32;

/** Returns a profile's generation; null if there is none, undefined if the key cannot read it. */
async function readGeneration(task: string, profile: string, signal: AbortSignal): Promise<number | null | undefined> {
  try {
    return (await requestJson<Profile>(profilePath(task, profile), { signal })).generation;
  } catch (error) {
    if (hasCode(error, ["unknown_profile"])) return null;
    if (hasCode(error, KEY_PROBLEMS)) return undefined;
    throw error;
  }
}

/** Tells whether there are enough examples to learn from. */
export const canLearn = (state: TeachState): boolean => {
  const examples = state.examples.value;
  return examples.length >= MIN_EXAMPLES && new Set(examples.map(({ label }) => label)).size > 1;
};

async function predictInParts(
  task: string,
  profile: string,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Prediction>> {
  const answers = new Map<string, Prediction>();
  for (let at = 0; at < texts.length; at += TEXTS_A_REQUEST) {
    const part = texts.slice(at, at + TEXTS_A_REQUEST);
    const predictions = await predictTexts(task, profile, part, signal);
    for (const [place, prediction] of predictions.entries()) answers.set(part[place] ?? "", prediction);
  }
  return answers;
}

/** Labels all sentences under the task's default profile, where that is not known yet, and under the user's own. */
export async function answerSentences({ task }: Task, state: TeachState, signal: AbortSignal): Promise<void> {
  const sentences = state.sentences.peek();
  const profile = state.profile.peek();
  const unknown = sentences.filter((sentence) => !state.before.peek().has(sentence));
  try {
    const before = await predictInParts(task, `${profile}.unused`, unknown, signal);
    state.before.value = new Map([...state.before.peek(), ...before]);
    if (typeof state.generation.peek() !== "number") return;
    const now = await predictInParts(task, profile, sentences, signal);
    if (!signal.aborted) state.now.value = now;
  } catch (error) {
    if (!signal.aborted) state.problem.value = error;
  }
}

function take(state: TeachState, learnt: Learnt, examples: number): void {
  batch(() => {
    state.learnt.value = learnt;
    // The service writes nothing where nothing was gained: the profile is not the one that was measured.
    if (learnt.generation === null) return;
    state.generation.value = learnt.generation;
    const point = { examples, start: learnt.leftOut.start.accuracy, learnt: learnt.leftOut.learnt.accuracy };
    state.points.value = [...state.points.value.filter((one) => one.examples !== examples), point].sort(
      (a, b) => a.examples - b.examples,
    );
  });
}

/**
 * Learns the user's profile from the labelled sentences. A profile that exists already is replaced only if the user agrees.
 *
 * @param agrees whether the user does, also if nothing was gained
 */
export async function learnNow({ task }: Task, state: TeachState, agrees = false): Promise<void> {
  const [profile, examples] = [state.profile.peek(), state.examples.peek()];
  const controller = new AbortController();
  const { signal } = controller;
  batch(() => {
    state.running.value = controller;
    state.attempted.value = examples;
    state.needsConsent.value = false;
    state.problem.value = null;
  });
  try {
    if (state.generation.peek() === "unread") {
      const generation = await readGeneration(task, profile, signal);
      signal.throwIfAborted();
      if (typeof generation === "number" && !agrees) {
        state.needsConsent.value = true;
        return;
      }
      batch(() => {
        state.generation.value = generation;
        state.original.value = generation ?? null;
      });
    }
    const generation = state.generation.peek();
    const learnt = await learn({
      task,
      profile,
      examples,
      generation: generation === "unread" ? undefined : generation,
      force: agrees,
      signal,
      onProgress(progress) {
        state.progress.value = progress;
      },
    });
    if (!signal.aborted) take(state, learnt, examples.length);
  } catch (error) {
    if (signal.aborted) return;
    batch(() => {
      state.problem.value = error;
      // The row may be another one now: it is read again.
      state.generation.value = "unread";
    });
  } finally {
    if (state.running.peek() === controller) {
      batch(() => {
        state.running.value = null;
        state.progress.value = null;
      });
    }
  }
}

/** Deletes a profile that is new, or restores the one that was there before. The labels stay. */
export async function undoProfile({ task }: Task, state: TeachState): Promise<void> {
  const [generation, original] = [state.generation.peek(), state.original.peek()];
  const path = profilePath(task, state.profile.peek());
  const headers = { "if-match": `"${generation}"` };
  state.running.peek()?.abort();
  try {
    if (original === null) await requestJson(path, { method: "DELETE", headers, writes: true });
    else await requestJson(`${path}/rollback`, { json: { generation: original }, headers, writes: true });
    forget(state, state.examples.peek());
  } catch (error) {
    state.problem.value = error;
  }
}

/**
 * Forgets what was learnt, and cancels the learning that is running.
 *
 * @param attempted the examples that are not learnt again by themselves
 */
export function forget(state: TeachState, attempted: readonly LabelledText[] | null): void {
  state.running.peek()?.abort();
  batch(() => {
    state.running.value = null;
    state.progress.value = null;
    state.attempted.value = attempted;
    state.generation.value = "unread";
    state.original.value = null;
    state.needsConsent.value = false;
    state.learnt.value = null;
    state.points.value = [];
    state.now.value = new Map();
    state.problem.value = null;
  });
}
