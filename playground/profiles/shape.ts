import type { MaskShape } from "../../src/profiles/masks.ts";
import { taskMaskShape } from "../../src/profiles/task-adapter.ts";
import type { Info } from "../api/answers.ts";
import { requestJson } from "../api/request.ts";
import { bytesOf } from "../parts/bytes.ts";

/** Returns the shape of a task's masks. The key must be able to read the task. */
export async function readTaskShape(task: string, signal: AbortSignal): Promise<MaskShape> {
  const [{ bundle }, { adapter }] = await Promise.all([
    requestJson<Info>("/v1/info", { signal }),
    requestJson<{ adapter?: string }>(`/v1/tasks/${task}`, { signal }),
  ]);
  return taskMaskShape(bundle, adapter ? bytesOf(adapter) : null);
}
