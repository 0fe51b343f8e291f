import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBundle } from "../../node/files.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { profilesFile, profilesOf, taskFile, taskFor } from "../../test/support/rows.ts";
import { BUNDLE } from "../graphs.ts";

const LABELS = 30;

/** What all peers serve. */
export interface Ground {
  readonly task: NewTask;
  readonly profiles: readonly NewProfile[];
  /** Holds both as a training leaves them: `task.json`, `profiles.ndjson`. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Draws a task of 30 labels and so many profiles. */
export async function makeGround(count: number): Promise<Ground> {
  const labels = Array.from({ length: LABELS }, (_, label) => `label-${label}`);
  const task = taskFor(await readBundle(BUNDLE), { labels, maxTokens: 512 });
  const profiles = profilesOf(count);
  const folder = await mkdtemp(join(tmpdir(), "xpeft-peers-"));
  await writeFile(join(folder, "task.json"), taskFile(task));
  await writeFile(join(folder, "profiles.ndjson"), profilesFile(task.name, profiles));
  return { task, profiles, folder, close: () => rm(folder, { recursive: true, force: true }) };
}
