import { type MaskShape, maskShapeOf, unpackMasks } from "../../src/profiles/masks.ts";
import { taskMaskShape } from "../../src/profiles/task-adapter.ts";
import type { Info, Pool } from "./answers.ts";
import { requestJson } from "./api.ts";

/** A mask: for each adapter of the pool, whether the profile chooses it. */
export type Mask = readonly boolean[];

/** Decodes base64. */
export const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

const readBundle = async () => (await requestJson<Info>("/v1/info")).bundle;

/** Returns the shape of masks that choose from a pool. */
export async function readShapeOver(pool: Pool): Promise<MaskShape> {
  const { layers } = await readBundle();
  return maskShapeOf({ layers, pool });
}

/** Returns the shape of a task's masks. The key must be able to read the task. */
export async function readTaskShape(task: string): Promise<MaskShape> {
  const { adapter } = await requestJson<{ adapter?: string }>(`/v1/tasks/${task}`);
  return taskMaskShape(await readBundle(), adapter ? bytesOf(adapter) : null);
}

/** Unpacks a row's masks: two per personal layer, down and up. A row without masks has none. */
export function masksOf(base64: string, shape: MaskShape): Mask[] {
  const { layers, size, chosen } = shape;
  if (base64 === "") return [];
  const adapters = unpackMasks(bytesOf(base64), shape);
  return Array.from({ length: 2 * layers }, (_, place) => {
    const mask = new Set(adapters.subarray(place * chosen, (place + 1) * chosen));
    return Array.from({ length: size }, (_, adapter) => mask.has(adapter));
  });
}
