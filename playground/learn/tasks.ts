import type { Task } from "../shared/answers.ts";
import { elements } from "./elements.ts";

let tasks: readonly Task[] = [];

/** Sets the tasks that the user can choose from. */
export function setTasks(known: readonly Task[]): void {
  tasks = known;
}

/** Returns the labels of the chosen task. */
export const taskLabels = (): readonly string[] => tasks.find(({ task }) => task === elements.task.value)?.labels ?? [];
