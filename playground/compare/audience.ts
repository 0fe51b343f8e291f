import { ApiError, messageOf } from "../shared/api.ts";
import { makeProblem } from "../shared/dom.ts";
import { countOf } from "../shared/text.ts";
import { audienceProblem } from "./audience-problem.ts";
import { createBars } from "./bars.ts";
import { elements } from "./elements.ts";
import { fanOut } from "./fan-out.ts";
import { chosenTask, taskLabels } from "./tasks.ts";

let running: AbortController | null = null;

/** Stops the request that is running, if there is one. */
export const stopAudience = (): void => running?.abort();

function setRunning(controller: AbortController | null): void {
  running = controller;
  elements.stopAudience.disabled = controller === null;
}

/** Stops the request, and hides its results. */
export function clearAudience(): void {
  stopAudience();
  setRunning(null);
  elements.audience.hidden = true;
  elements.audienceStatus.replaceChildren();
}

/** Lets the browser draw and handle what the user does. */
const pause = () => new Promise((resolve) => setTimeout(resolve));

/** Labels the sentence under all profiles of the task, or those with the prefix. Shows labels as they arrive. */
export async function showAudience(): Promise<void> {
  clearAudience();
  const own = new AbortController();
  const { signal } = own;
  setRunning(own);
  const { sentence, prefix, audience, audienceStatus } = elements;
  const bars = createBars(taskLabels());
  let [profiles, truncated] = [0, false];
  const soFar = () => (profiles === 0 ? "" : ` ${countOf(profiles, "profile")} so far.`);
  audienceStatus.textContent = "Labelling…";
  try {
    const request = {
      task: chosenTask(),
      text: sentence.value,
      profiles: prefix.value === "" ? ("all" as const) : { prefix: prefix.value },
    };
    for await (const line of fanOut(request, signal)) {
      if ("profile" in line) {
        bars.add(line);
        profiles++;
        continue;
      }
      ({ truncated } = line);
      bars.show();
      audience.hidden = profiles === 0;
      audienceStatus.textContent = `Labelling…${soFar()}`;
      await pause();
      signal.throwIfAborted();
    }
    const total = profiles === 0 ? "There are no such profiles." : `${countOf(profiles, "profile")}.`;
    audienceStatus.textContent = `${total}${truncated ? " The sentence was truncated." : ""}`;
  } catch (error) {
    // Another request or task has taken its place.
    if (running !== own) return;
    bars.show();
    audience.hidden = profiles === 0;
    if (signal.aborted) audienceStatus.textContent = `Stopped.${soFar()}`;
    else {
      const message = error instanceof ApiError ? audienceProblem(error.problem) : messageOf(error);
      audienceStatus.replaceChildren(makeProblem(`${message}${soFar()}`));
    }
  }
  setRunning(null);
}
