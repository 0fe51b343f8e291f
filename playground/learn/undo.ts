import { profilePath, requestJson } from "../shared/api.ts";
import { elements } from "./elements.ts";
import { lastLearning } from "./last-learning.ts";
import { showPredictions } from "./show-predictions.ts";
import { showError, showStatus } from "./status.ts";

/** Deletes a profile that was created, or restores the generation before, unless it was written again since. */
async function undoWrite(): Promise<string> {
  const learning = lastLearning();
  if (!learning) return "";
  const { name, learnt } = learning;
  const { created, generation } = learnt;
  if (generation === null) return "";
  const path = profilePath(name.task, name.profile);
  const headers = { "if-match": `"${generation}"` };
  if (created) {
    await requestJson(path, { method: "DELETE", headers });
    return "Undone: the profile is deleted.";
  }
  // The learning required the generation that it read, so it has written the next one.
  const json = { generation: generation - 1 };
  const restored = await requestJson<{ generation: number }>(`${path}/rollback`, { json, headers });
  return `Undone: generation ${restored.generation} restores generation ${json.generation}.`;
}

/** Undoes the last learning, and predicts the texts again. */
export async function undo(): Promise<void> {
  elements.undo.disabled = true;
  showStatus("Undoing…");
  try {
    showStatus(await undoWrite());
    elements.undo.hidden = true;
    elements.resultTitle.focus();
    await showPredictions();
  } catch (error) {
    showError(error);
  } finally {
    elements.undo.disabled = false;
  }
}
