import type { Task } from "./engine.ts";
import { XpeftError } from "./errors.ts";
import type { StoredProfile } from "./rows.ts";

/** The task that was looked for. @throws XpeftError `unknown_task` if there is none */
export function foundTask(task: Task | null, name: string): Task {
  if (task) return task;
  throw new XpeftError("unknown_task", `There is no task "${name}".`, "GET /v1/tasks lists the tasks.");
}

/** The profile that was looked for. @throws XpeftError `unknown_profile` if there is none */
export function foundProfile(profile: StoredProfile | null, task: string, id: string): StoredProfile {
  if (profile) return profile;
  throw new XpeftError(
    "unknown_profile",
    `Task "${task}" has no profile "${id}".`,
    'Push the profile, or predict with "onUnknownProfile": "default" to be answered with the task\'s default masks.',
  );
}
