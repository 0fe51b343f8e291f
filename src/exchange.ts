import { z } from "zod";
import type { Manifest } from "./bundle/manifest.ts";
import { XpeftError } from "./errors.ts";
import { floatsFromBytes } from "./floats.ts";
import { readLabelBias } from "./label-bias.ts";
import { unpackMasks } from "./masks.ts";
import { profilePattern, taskPattern } from "./names.ts";
import type { NewProfile, NewTask } from "./push.ts";

/** The bundle that what is read must fit. */
export interface TargetBundle {
  readonly id: string;
  readonly manifest: Manifest;
}

const base64 = z.base64().transform((text) => z.util.base64ToUint8Array(text));

const taskSchema = z.strictObject({
  format: z.literal("xpeft-task/1"),
  task: z.string().regex(taskPattern),
  bundle: z.string().regex(/^[0-9a-f]{32}$/),
  labels: z
    .array(z.string().min(1))
    .min(2)
    .refine((labels) => new Set(labels).size === labels.length, "names a label twice"),
  maxTokens: z.int().min(3),
  head: base64,
  masks: base64,
});

const profileSchema = z.strictObject({
  task: z.string().regex(taskPattern),
  profile: z.string().regex(profilePattern),
  masks: base64,
  labelBias: base64.nullish(),
});

function mismatch(message: string, hint: string): XpeftError {
  return new XpeftError("mismatched_write", message, hint);
}

function parse<T>(schema: z.ZodType<T>, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new XpeftError("invalid_row", "This is not JSON.", "docs/formats.md tells what is expected.", { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new XpeftError(
    "invalid_row",
    `${issue?.path.join(".") || "the whole"}: ${issue?.message}.`,
    "docs/formats.md tells what is expected.",
  );
}

/**
 * Reads a `task.json`.
 *
 * @throws XpeftError `invalid_row` if a field is not what the format says, `mismatched_write` if the task does not fit
 * the bundle, `invalid_mask` if its default masks do not
 */
export function parseTask(text: string, { id, manifest }: TargetBundle): NewTask {
  const { task, bundle, labels, maxTokens, head, masks } = parse(taskSchema, text);
  if (bundle !== id) {
    throw mismatch(`Task "${task}" was trained on bundle ${bundle}, not ${id}.`, "Train it on this bundle.");
  }
  if (maxTokens > manifest.maxTokens) {
    throw mismatch(
      `Task "${task}" reads ${maxTokens} tokens, and the bundle ${manifest.maxTokens} at most.`,
      "Train it with fewer.",
    );
  }
  const headBytes = 4 * labels.length * (manifest.hidden + 1);
  if (head.length !== headBytes) {
    throw mismatch(
      `The head of task "${task}" has ${head.length} bytes where ${labels.length} labels need ${headBytes}.`,
      "Write the task's file again.",
    );
  }
  unpackMasks(masks, { layers: manifest.layers, ...manifest.pool });
  return { name: task, bundle, labels, maxTokens, head: floatsFromBytes(head), masks };
}

/**
 * Reads a line of `profiles.ndjson`.
 *
 * @throws XpeftError `invalid_row` if a field is not what the format says, `mismatched_write` if the profile is of
 * another task, `invalid_mask` if its masks do not fit the bundle, `invalid_label_bias` if its label bias does not fit
 * the task
 */
export function parseProfile(
  line: string,
  task: Pick<NewTask, "name" | "labels">,
  { manifest }: TargetBundle,
): NewProfile {
  const { task: of, profile: id, masks, labelBias } = parse(profileSchema, line);
  if (of !== task.name) {
    throw mismatch(`Profile "${id}" is of task "${of}", not "${task.name}".`, "Push each task with its own.");
  }
  unpackMasks(masks, { layers: manifest.layers, ...manifest.pool });
  if (labelBias) readLabelBias(labelBias, task.labels.length);
  return { id, masks, labelBias: labelBias ?? null };
}
