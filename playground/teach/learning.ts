import { batch } from "@preact/signals";
import type { Learnt, Prediction, Profile, Task } from "../api/answers.ts";
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
  const { sentences } = state.work.value;
  const profile = state.profile.value;
  const unknown = sentences.filter((sentence) => !state.before.value.has(sentence));
  try {
    const before = await predictInParts(task, `${profile}.unused`, unknown, signal);
    const now = await predictInParts(task, profile, sentences, signal);
    if (signal.aborted) return;
    batch(() => {
      state.before.value = new Map([...state.before.value, ...before]);
      state.now.value = now;
    });
  } catch (error) {
    if (!signal.aborted) state.problem.value = error;
  }
}

function take(state: TeachState, learnt: Learnt, examples: number): void {
  batch(() => {
    state.learnt.value = learnt;
    // The service writes nothing where nothing was gained.
    if (learnt.generation !== null) state.generation.value = learnt.generation;
    const point = { examples, start: learnt.leftOut.start.accuracy, learnt: learnt.leftOut.learnt.accuracy };
    state.points.value = [...state.points.value.filter((one) => one.examples !== examples), point].sort(
      (a, b) => a.examples - b.examples,
    );
  });
}

/** Learns the user's profile from the labelled sentences, and labels all sentences anew. */
export async function learnNow(task: Task, state: TeachState, signal: AbortSignal): Promise<void> {
  if (!canLearn(state)) return;
  const [profile, examples] = [state.profile.value, state.examples.value];
  state.progress.value = "starting";
  state.problem.value = null;
  try {
    state.generation.value ??= await readGeneration(task.task, profile, signal);
    const learnt = await learn({
      task: task.task,
      profile,
      examples,
      generation: state.generation.value,
      signal,
      onProgress(progress) {
        state.progress.value = progress;
      },
    });
    take(state, learnt, examples.length);
    await answerSentences(task, state, signal);
  } catch (error) {
    if (!signal.aborted) state.problem.value = error;
  } finally {
    state.progress.value = null;
  }
}

/** Deletes the user's profile. The labels stay. */
export async function deleteProfile({ task }: Task, state: TeachState): Promise<void> {
  try {
    const headers = { "if-match": `"${state.generation.value}"` };
    await requestJson(profilePath(task, state.profile.value), { method: "DELETE", headers, writes: true });
    forget(state);
  } catch (error) {
    state.problem.value = error;
  }
}

/** Forgets what was learnt, for another profile or another start. */
export function forget(state: TeachState): void {
  batch(() => {
    state.generation.value = null;
    state.learnt.value = null;
    state.points.value = [];
    state.now.value = new Map();
    state.problem.value = null;
  });
}
