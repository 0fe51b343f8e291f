import * as z from "zod";
import type { Bundle } from "../bundle/manifest.ts";
import { type ErrorReason, XpeftError } from "../errors.ts";
import { base64Schema, toBase64 } from "../lib/base64.ts";
import { bytesFromFloats, floatsFromBytes } from "../lib/floats.ts";
import { labelSetFault, MAX_LABEL_LENGTH } from "./labels.ts";
import { unpackMasks } from "./masks.ts";
import { describeInvalidId, profilePattern, taskPattern } from "./names.ts";
import type { NewProfile } from "./profile.ts";
import { readProfileHead } from "./profile-head.ts";
import { headHashPattern, type ProfileTask } from "./profile-task.ts";
import type { NewTask } from "./task.ts";
import { adapterFault, taskMaskShape } from "./task-adapter.ts";

/** The database's limit for a row is 2,000,000 bytes; the rest is for the columns that are not counted here. */
const MAX_ROW_BYTES = 1_950_000;

/** A stored task's labels, in the order of its logits. */
export const labelsSchema = z.array(z.string().min(1).max(MAX_LABEL_LENGTH)).min(2);

/** A new task's labels, in the order of its logits. */
export const newLabelsSchema = labelsSchema.superRefine((labels, context) => {
  const fault = labelSetFault(labels);
  if (fault) context.addIssue(fault);
});

/** Two texts of one token each, and the special tokens around and between them. */
export const MIN_TOKENS = 5;

/** More than any encoder reads; each bundle has a smaller limit. */
const MAX_TOKENS = 2 ** 20;

/** Schema of a new task's `task.json`; base64 becomes bytes. */
export const taskSchema = z.strictObject({
  format: z.literal("xpeft-task/1"),
  task: z.string().regex(taskPattern),
  bundle: z.string().regex(/^[0-9a-f]{32}$/),
  labels: newLabelsSchema,
  maxTokens: z.int().min(MIN_TOKENS).max(MAX_TOKENS),
  head: base64Schema,
  masks: base64Schema,
  adapter: base64Schema.nullish(),
});

const profileSchema = z.strictObject({
  task: z.string().regex(taskPattern),
  profile: z.string().regex(profilePattern, { error: ({ input }) => describeInvalidId(String(input)) }),
  headHash: z.string().regex(headHashPattern).nullish(),
  masks: base64Schema,
  labelBias: base64Schema.nullish(),
});

const importSchema = profileSchema.extend({ generation: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional() });

function mismatch(reason: ErrorReason<"mismatched_write">, message: string): XpeftError {
  return new XpeftError("mismatched_write", message, { reason });
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new XpeftError("invalid_row", "This is not JSON.", { reason: "format", cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || "the whole";
  throw new XpeftError("invalid_row", `${field}: ${issue?.message}.`, { reason: "format" });
}

/**
 * Returns the new task of a `task.json`, checked against a bundle.
 *
 * @throws XpeftError `invalid_row` if a field breaks the format, `mismatched_write` if the task does not fit the
 * bundle, `invalid_mask` if its default masks do not
 */
export function parseTask(text: string, bundle: Bundle): NewTask {
  return checkTaskFields(parseJson(taskSchema, text), bundle);
}

/**
 * Returns a stored task of a `task.json`, as {@link parseTask} does. Its labels may be older than the rule for labels.
 */
export function parseStoredTask(text: string, bundle: Bundle): NewTask {
  return checkTaskFields(parseJson(taskSchema.extend({ labels: labelsSchema }), text), bundle);
}

/**
 * Returns the task of `task.json`'s fields, checked against a bundle.
 *
 * @throws XpeftError `mismatched_write` if the task does not fit the bundle, `invalid_mask` if its default masks do not
 */
export function checkTaskFields(fields: z.infer<typeof taskSchema>, target: Bundle): NewTask {
  const { id, taskBundles, manifest } = target;
  const { task, bundle, labels, maxTokens, head, masks, adapter = null } = fields;
  if (!taskBundles.includes(bundle)) {
    throw mismatch("bundle", `Task "${task}" was trained on bundle ${bundle}, not ${id}.`);
  }
  if (maxTokens > manifest.maxTokens) {
    throw mismatch("length", `Task "${task}" reads ${maxTokens} tokens; the bundle's limit is ${manifest.maxTokens}.`);
  }
  const headBytes = 4 * labels.length * (manifest.hidden + 1);
  if (head.length !== headBytes) {
    throw mismatch(
      "head",
      `The head of task "${task}" has ${head.length} bytes; ${labels.length} labels need ${headBytes}.`,
    );
  }
  const labelBytes = new TextEncoder().encode(JSON.stringify(labels)).length;
  if (head.length + masks.length + (adapter?.length ?? 0) + labelBytes > MAX_ROW_BYTES) {
    throw mismatch("size", `Task "${task}" is larger than a row of the database, ${MAX_ROW_BYTES} bytes.`);
  }
  const numbers = floatsFromBytes(head);
  if (!numbers.every(Number.isFinite)) {
    throw mismatch("training", `The head of task "${task}" has numbers that are not finite.`);
  }
  const fault = adapter && adapterFault(adapter, manifest);
  if (fault) throw mismatch("adapter", `The adapter of task "${task}" ${fault}.`);
  unpackMasks(masks, taskMaskShape(manifest, adapter));
  return { name: task, bundle, labels, maxTokens, head: numbers, masks, adapter };
}

/**
 * Returns the profile of a line's fields, checked against a task and a bundle.
 *
 * @throws XpeftError `mismatched_write` if the profile is of another task, `head_mismatch` if it was trained with
 * another head, `invalid_mask`, `invalid_label_bias`, or `invalid_row` if the task's pool is damaged
 */
export function checkProfileFields(
  { task: taskOfProfile, profile: id, headHash, masks, labelBias = null }: z.infer<typeof profileSchema>,
  task: ProfileTask,
  { manifest }: Bundle,
): NewProfile {
  if (taskOfProfile !== task.name) {
    throw mismatch("task", `Profile "${id}" is of task "${taskOfProfile}", not "${task.name}".`);
  }
  if (headHash && headHash !== task.headHash) {
    const message = `Profile "${id}" was trained with head ${headHash}, and task "${task.name}" has head ${task.headHash}.`;
    throw new XpeftError("head_mismatch", message);
  }
  unpackMasks(masks, taskMaskShape(manifest, task.adapter));
  if (labelBias) readProfileHead(labelBias, { labels: task.labels.length, hidden: manifest.hidden });
  return { id, masks, labelBias };
}

/**
 * Returns the profile of a line of `profiles.ndjson`, checked against its task and bundle.
 *
 * @throws XpeftError `invalid_row` if a field breaks the format, `mismatched_write` if the profile is of another task,
 * `head_mismatch` if it was trained with another head, `invalid_mask` if its masks do not fit the bundle,
 * `invalid_label_bias` if its label bias does not fit the task
 */
export function parseProfile(line: string, task: ProfileTask, bundle: Bundle): NewProfile {
  return checkProfileFields(parseJson(profileSchema, line), task, bundle);
}

/**
 * Returns the fields of an import's line: a line of `profiles.ndjson` that may also say the profile's expected
 * generation. The fields are not checked against a task.
 *
 * @throws XpeftError `invalid_row` if a field breaks the format
 */
export function parseImportLine(line: string): {
  fields: z.infer<typeof profileSchema>;
  expected: number | undefined;
} {
  const { generation: expected, ...fields } = parseJson(importSchema, line);
  return { fields, expected };
}

/** Returns the fields of `task.json` for a task: the inverse of {@link checkTaskFields}. */
export function taskFileFields({
  name,
  bundle,
  labels,
  maxTokens,
  head,
  masks,
  adapter,
}: NewTask): z.input<typeof taskSchema> {
  return {
    format: "xpeft-task/1",
    task: name,
    bundle,
    labels: [...labels],
    maxTokens,
    head: toBase64(bytesFromFloats(head)),
    masks: toBase64(masks),
    ...(adapter && { adapter: toBase64(adapter) }),
  };
}

/** Returns a profile as a line of `profiles.ndjson`, without its end: the inverse of {@link parseProfile}. */
export function formatProfile(
  { name, headHash }: Pick<ProfileTask, "name" | "headHash">,
  { id, masks, labelBias }: NewProfile,
): string {
  return JSON.stringify({
    task: name,
    profile: id,
    headHash,
    masks: toBase64(masks),
    labelBias: labelBias ? toBase64(labelBias) : undefined,
  });
}
