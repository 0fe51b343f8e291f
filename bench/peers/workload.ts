import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBundle } from "../../node/files.ts";
import { profilesFile, profilesOf, taskFile, taskFor } from "../../test/support/rows.ts";
import { makeTempFolder, removeTempFolder } from "../../test/support/temp-folders.ts";
import { BUNDLE } from "../graphs.ts";
import type { TaskRows } from "../with-worker.ts";

const LABELS = 30;

/** The task and the profiles that all peers serve. */
export interface Workload extends TaskRows {
  /** Has both as training writes them: `task.json` and `profiles.ndjson`. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Creates a task of 30 labels and that many profiles. */
export async function createWorkload(count: number): Promise<Workload> {
  const labels = Array.from({ length: LABELS }, (_, label) => `label-${label}`);
  const task = taskFor(await readBundle(BUNDLE), { labels, maxTokens: 512 });
  const profiles = profilesOf(count);
  const folder = await makeTempFolder("xpeft-peers-");
  await writeFile(join(folder, "task.json"), taskFile(task));
  await writeFile(join(folder, "profiles.ndjson"), profilesFile(task.name, profiles));
  return { task, profiles, folder, close: () => removeTempFolder(folder) };
}
