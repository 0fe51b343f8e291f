import { z } from "@hono/zod-openapi";
import { labelsSchema, newLabelsSchema, taskSchema } from "../../../src/profiles/file-format.ts";
import { Base64, BundleId, LastWrite, NextPage, TaskName } from "../../http/row-schemas.ts";

// Schemas of src/ may be older than the extension of zod that documents them. Their clones are not.
const documented = { example: ["1", "2", "3"], uniqueItems: true };

const TaskSummary = z
  .object({
    task: TaskName,
    bundle: BundleId,
    labels: labelsSchema.clone().openapi(documented),
    maxTokens: z.int().openapi({ description: "Texts are truncated to this many tokens." }),
    ...LastWrite,
  })
  .openapi("TaskSummary");

/** A page of tasks. */
export const TaskPage = z.object({ tasks: z.array(TaskSummary), next: NextPage }).openapi("TaskPage");

/** A `task.json`. */
export const TaskFile = taskSchema
  .extend({
    task: TaskName,
    bundle: BundleId,
    labels: newLabelsSchema.clone().openapi(documented),
    head: Base64("float32, little-endian: weight [labels, hidden], then bias [labels]."),
    masks: Base64("Mask blob of the task's default profile; empty if it has no masks."),
    adapter: Base64(
      "Adapter that all profiles of the task share: float32 scales [layers, 2], then int8 steps. The task's own pool may follow: docs/formats.md. Without it, the task has none.",
    ).nullish(),
  })
  .openapi("TaskFile", { description: "A task.json; docs/formats.md lists its fields." });

/** The answer to a write. */
export const TaskWritten = z
  .object({ task: TaskName, generation: LastWrite.generation, created: z.boolean() })
  .openapi("TaskWritten");

/** What a write or deletion does with the task's profiles. */
export const ExistingProfilesQuery = z.strictObject({
  profiles: z.enum(["keep", "delete"]).default("keep").openapi({
    description:
      "keep: the request fails if the task has profiles that the change would invalidate. delete: these profiles are deleted.",
  }),
});
