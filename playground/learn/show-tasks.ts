import { readTasks } from "../shared/api.ts";
import { fillOptions } from "../shared/dom.ts";
import { countRuns } from "../shared/latest.ts";
import { elements } from "./elements.ts";
import { fillLabels } from "./rows.ts";
import { showError, showStatus } from "./status.ts";
import { setTasks } from "./tasks.ts";

const startListing = countRuns();

/** Lists the tasks that the key may access. */
export async function showTasks(): Promise<void> {
  showStatus("");
  const isLatest = startListing();
  try {
    const tasks = await readTasks();
    if (!isLatest()) return;
    setTasks(tasks);
    fillOptions(
      elements.task,
      tasks.map(({ task }) => task),
      elements.task.value,
    );
    if (tasks.length === 0) showStatus("There are no tasks yet. Push one first.");
    fillLabels();
  } catch (error) {
    if (isLatest()) showError(error);
  }
}
