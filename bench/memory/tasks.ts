import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import { BUNDLE } from "../graphs.ts";
import type { TaskRows } from "../with-worker.ts";

const LABELS = 30;

/** Returns the id of a profile of {@link createTasks}. */
export const profileId = (index: number): string => `demo-${String(index).padStart(3, "0")}`;

/** Returns the tasks `task-0` and on, with 30 labels and the longest texts. The first has `profiles` profiles, the others one. */
export async function createTasks(tasks: number, profiles: number): Promise<TaskRows[]> {
  const bundle = await readBundle(BUNDLE);
  const labels = Array.from({ length: LABELS }, (_, index) => `label ${index}`);
  return Array.from({ length: tasks }, (_, index) => ({
    task: taskFor(bundle, { name: `task-${index}`, labels, maxTokens: bundle.manifest.maxTokens }),
    profiles: profilesOf(index === 0 ? profiles : 1),
  }));
}
