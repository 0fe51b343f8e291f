import { bytesFromFloats } from "../lib/floats.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { NewTask } from "./task.ts";

/** What a profile's line must fit of its task. */
export interface ProfileTask extends Pick<NewTask, "name" | "labels" | "adapter"> {
  /** Identifies what masks are trained with: the task's bundle, labels, head and adapter. */
  readonly headHash: string;
}

/** The hash of a head; as many digits as a bundle's id. */
export const headHashPattern = /^[0-9a-f]{32}$/;

/** Returns what a profile's line must fit of a task. docs/formats.md ("Profile") defines the hash. */
export async function profileTaskOf({
  name,
  bundle,
  labels,
  head,
  adapter,
}: Pick<NewTask, "name" | "bundle" | "labels" | "head" | "adapter">): Promise<ProfileTask> {
  const text = new TextEncoder().encode(JSON.stringify([bundle, labels]));
  const parts = [text, bytesFromFloats(head), ...(adapter ? [adapter] : [])];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return { name, labels, adapter, headHash: (await sha256Hex(bytes)).slice(0, 32) };
}
