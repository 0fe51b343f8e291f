import type { MaskShape } from "../../src/profiles/masks.ts";
import type { HeadShape } from "../../src/profiles/profile-head.ts";
import { taskMaskShape } from "../../src/profiles/task-adapter.ts";
import type { Info, Task } from "../api/answers.ts";
import { requestJson } from "../api/request.ts";
import { bytesOf } from "../parts/bytes.ts";

/** The sizes of what a task's profiles store. */
export interface TaskShape {
  readonly masks: MaskShape;
  readonly head: HeadShape;
}

/** Returns the sizes of what a task's profiles store. The key must be able to read the task. */
export async function readTaskShape({ task, labels }: Task, signal: AbortSignal): Promise<TaskShape> {
  const [{ bundle }, { adapter }] = await Promise.all([
    requestJson<Info>("/v1/info", { signal }),
    requestJson<{ adapter?: string }>(`/v1/tasks/${task}`, { signal }),
  ]);
  return {
    masks: taskMaskShape(bundle, adapter ? bytesOf(adapter) : null),
    head: { labels: labels.length, hidden: bundle.hidden },
  };
}
