import { bytesFromFloats } from "../lib/floats.ts";
import { sha256Hex } from "../lib/sha256.ts";
import type { NewTask } from "./task.ts";

/** What a profile's line must fit of its task. */
export interface ProfileTask extends Pick<NewTask, "name" | "labels"> {
  /** Identifies what masks are trained with: the task's bundle, labels and head. */
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
}: Pick<NewTask, "name" | "bundle" | "labels" | "head">): Promise<ProfileTask> {
  const text = new TextEncoder().encode(JSON.stringify([bundle, labels]));
  const headBytes = bytesFromFloats(head);
  const bytes = new Uint8Array(text.length + headBytes.length);
  bytes.set(text);
  bytes.set(headBytes, text.length);
  return { name, labels, headHash: (await sha256Hex(bytes)).slice(0, 32) };
}
