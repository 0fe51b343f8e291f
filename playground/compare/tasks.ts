import type { Profile, Task } from "../shared/answers.ts";
import { hasCode, messageOf, readTasks, requestJson } from "../shared/api.ts";
import { fillOptions, makeProblem } from "../shared/dom.ts";
import { countRuns } from "../shared/latest.ts";
import { linesOf } from "../shared/text.ts";
import { elements } from "./elements.ts";
import { EXAMPLES } from "./examples.ts";

/** How many profiles fit side by side. */
export const MAX_PROFILES = 16;

let tasks: readonly Task[] = [];

/** Starts a comparison, or a change of the task. An answer that arrives after the next of them is out of date. */
export const startComparison = countRuns();

const startListing = countRuns();

/** Returns the chosen task. */
export const chosenTask = (): string => elements.task.value;

/** Returns the labels of the chosen task. */
export const taskLabels = (): readonly string[] => tasks.find(({ task }) => task === chosenTask())?.labels ?? [];

/** Returns the profiles to compare, each once. @throws Error if there are none, or too many */
export function chosenProfiles(): string[] {
  const profiles = [...new Set(linesOf(elements.profiles.value).map((line) => line.trim()))];
  if (profiles.length === 0) throw new Error("Enter at least one profile.");
  if (profiles.length > MAX_PROFILES) {
    throw new Error(`${profiles.length} profiles are too many: the limit is ${MAX_PROFILES}.`);
  }
  return profiles;
}

function clear(): void {
  const { trouble, answers, ranking, status, rankStatus, timings, overlap } = elements;
  for (const element of [trouble, answers, ranking, status, rankStatus]) element.replaceChildren();
  for (const element of [timings, overlap]) element.hidden = true;
}

/** Shows an error in place of all results. */
export function showError(error: unknown): void {
  clear();
  elements.trouble.replaceChildren(makeProblem(messageOf(error)));
}

/** Prepares the page for the chosen task: no results, and the task's examples if there are any. */
export function showTask(): void {
  startComparison();
  clear();
  const { profiles, texts } = EXAMPLES[chosenTask()] ?? { profiles: [], texts: [] };
  elements.profiles.value = profiles.join("\n");
  elements.text.value = texts[0] ?? "";
  elements.sentence.value = texts[0] ?? "";
  elements.exampleTextLabel.hidden = texts.length === 0;
  fillOptions(elements.exampleText, texts);
}

/** Lists the tasks that the key may access. */
export async function showTasks(): Promise<void> {
  clear();
  const isLatest = startListing();
  try {
    const listed = await readTasks();
    if (!isLatest()) return;
    tasks = listed;
    // The user may have chosen another task meanwhile.
    const chosen = chosenTask();
    fillOptions(
      elements.task,
      tasks.map(({ task }) => task),
      chosen,
    );
    if (tasks.length === 0) elements.status.textContent = "There are no tasks yet. Push one first.";
    if (chosenTask() !== chosen) showTask();
  } catch (error) {
    if (!isLatest()) return;
    if (hasCode(error, ["key_missing"])) elements.status.textContent = "Enter an API key: this service requires one.";
    else showError(error);
  }
}

/** Enters the ids of the task's first profiles. */
export async function enterFirstProfiles(): Promise<void> {
  try {
    const path = `/v1/profiles/${chosenTask()}?limit=${MAX_PROFILES}`;
    const { profiles } = await requestJson<{ profiles: Profile[] }>(path);
    elements.profiles.value = profiles.map(({ profile }) => profile).join("\n");
    elements.profiles.focus();
  } catch (error) {
    showError(error);
  }
}
