// The page that learns a profile: what happens when the user presses or chooses something.
import { elements } from "./elements.ts";
import { learn, stopLearning } from "./learn.ts";
import { showLegend } from "./mask-changes.ts";
import { addRow, fillExample, fillLabels, showFirstRows } from "./rows.ts";
import { showPredictions } from "./show-predictions.ts";
import { showTasks } from "./show-tasks.ts";
import { undo } from "./undo.ts";

showLegend();
showFirstRows();

elements.task.addEventListener("change", fillLabels);
elements.key.addEventListener("change", showTasks);
elements.addRow.addEventListener("click", addRow);
elements.fillExample.addEventListener("click", fillExample);
elements.stop.addEventListener("click", stopLearning);
elements.undo.addEventListener("click", undo);
elements.learnForm.addEventListener("submit", (event) => {
  event.preventDefault();
  learn();
});
elements.predictForm.addEventListener("submit", (event) => {
  event.preventDefault();
  showPredictions();
});

showTasks();
