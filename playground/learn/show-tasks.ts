import { readTasks } from "../shared/api.ts";
import { fillOptions } from "../shared/dom.ts";
import { elements } from "./elements.ts";
import { fillLabels } from "./rows.ts";
import { showError, showStatus } from "./status.ts";
import { setTasks } from "./tasks.ts";

/** Lists the tasks that the key may access. */
export async function showTasks(): Promise<void> {
  showStatus("");
  try {
    const tasks = await readTasks();
    setTasks(tasks);
    fillOptions(
      elements.task,
      tasks.map(({ task }) => task),
      elements.task.value,
    );
    if (tasks.length === 0) showStatus("There are no tasks yet. Push one first.");
    fillLabels();
  } catch (error) {
    showError(error);
  }
}
