import { readBundle } from "../../node/files.ts";
import { profilesOf, taskFor } from "../../test/support/rows.ts";
import { BUNDLE } from "../graphs.ts";
import type { Rows } from "./inspected.ts";

const LABELS = 30;

/** Id of a profile of {@link manyRows}. */
export const profileOf = (index: number): string => `demo-${String(index).padStart(3, "0")}`;

/** Tasks `task-0` and on, of 30 labels each, that read the longest texts; the profiles are the first one's. */
export async function manyRows(tasks: number, profiles: number): Promise<Rows[]> {
  const bundle = await readBundle(BUNDLE);
  const labels = Array.from({ length: LABELS }, (_, index) => `label ${index}`);
  return Array.from({ length: tasks }, (_, index) => ({
    task: taskFor(bundle, { name: `task-${index}`, labels, maxTokens: bundle.manifest.maxTokens }),
    profiles: profilesOf(index === 0 ? profiles : 1),
  }));
}
