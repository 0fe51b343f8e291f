import { join } from "node:path";
import { DEFAULT_BUNDLE, DEMO_FOLDER, readBundle, readProfilesFile, readTaskFile } from "../../node/files.ts";
import type { RunningWorker } from "./worker.ts";

/** The name of a task of the demo. */
export type DemoTask = "inbox" | "news" | "offense";

/** Writes a task of the demo and its profiles, as `npm start` does. */
export async function pushDemo({ push }: RunningWorker, name: DemoTask): Promise<void> {
  const bundle = await readBundle(DEFAULT_BUNDLE);
  const task = await readTaskFile(join(DEMO_FOLDER, name, "task.json"), bundle);
  await push(task, await readProfilesFile(join(DEMO_FOLDER, name, "profiles.ndjson"), task, bundle));
}
