import { computed, effect, signal, untracked } from "@preact/signals";
import type { Task } from "../api/answers.ts";
import { hasCode, requestJson } from "../api/request.ts";
import { apiKey } from "../api/session.ts";

const TASKS_A_PAGE = 1000;
const PARAMETER = "task";

/** The tasks that the key may access; null until they are known. */
export const tasks = signal<readonly Task[] | null>(null);

/** What keeps the page from listing the tasks. */
export const tasksProblem = signal<"needs-key" | { readonly error: unknown } | null>(null);

const wantedNow = () => new URLSearchParams(location.search).get(PARAMETER) ?? "";
const wanted = signal(wantedNow());
window.addEventListener("popstate", () => {
  wanted.value = wantedNow();
});

/** The task of all views; null if there is none. */
export const task = computed<Task | null>(
  () => tasks.value?.find(({ task: name }) => name === wanted.value) ?? tasks.value?.[0] ?? null,
);

/** The name of the task of all views; empty if there is none. */
export const taskName = computed(() => task.value?.task ?? "");

/** Chooses a task. The address has it, so that a link leads to it. */
export function chooseTask(name: string): void {
  wanted.value = name;
  history.replaceState(null, "", `${location.pathname}?${new URLSearchParams({ [PARAMETER]: name })}`);
}

async function readTasks(signal: AbortSignal): Promise<Task[]> {
  const all: Task[] = [];
  for (let after: string | null = ""; after !== null; ) {
    const query = new URLSearchParams({ limit: String(TASKS_A_PAGE), after });
    const page: { tasks: Task[]; next: string | null } = await requestJson(`/v1/tasks?${query}`, { signal });
    all.push(...page.tasks);
    after = page.next;
  }
  return all;
}

/** Lists the tasks that the key may access, for each key anew. */
export const keepTasks = (): (() => void) =>
  effect(() => {
    // A request reads more signals, whose changes need no new list.
    apiKey.value;
    const controller = new AbortController();
    untracked(async () => {
      try {
        tasks.value = await readTasks(controller.signal);
        tasksProblem.value = null;
      } catch (error) {
        if (controller.signal.aborted) return;
        tasks.value = null;
        tasksProblem.value = hasCode(error, ["key_missing"]) ? "needs-key" : { error };
      }
    });
    return () => controller.abort();
  });
