import { z } from "@hono/zod-openapi";
import { MAX_EXAMPLES } from "../../src/learn/examples.ts";
import { TARGET_ACCURACY } from "../../src/learn/learn-task.ts";
import { MAX_SEED } from "../../src/learn/recipe.ts";
import { MIN_TOKENS, newLabelsSchema } from "../../src/profiles/file-format.ts";
import { labelFault } from "../../src/profiles/labels.ts";
import { BOOKMARK } from "../http/bookmarks.ts";
import { LastWrite, TaskName } from "../http/row-schemas.ts";
import { textFields } from "../http/text-schemas.ts";
import { ExistingProfilesQuery, TaskFile } from "./registry/task-schemas.ts";

const fraction = z.number().min(0).max(1);

const TaskExample = z
  .strictObject({
    ...textFields,
    label: z
      .union([z.string(), z.number()])
      .transform(String)
      .superRefine((label, context) => {
        const fault = labelFault(label);
        if (fault !== null) context.addIssue(fault);
      })
      .openapi({ description: "Any label: the task is new.", example: "billing" }),
  })
  .openapi("TaskExample");

/** What to learn a task from. */
export const LearnTaskBody = z
  .strictObject({
    examples: z.array(TaskExample).openapi({
      description: `2 to ${MAX_EXAMPLES} labelled texts: at least two labels, with two different texts each. They are not stored.`,
    }),
    labels: newLabelsSchema.optional().openapi({
      description: "The task's labels in their order. Without it: those of the examples, in order of first appearance.",
      uniqueItems: true,
    }),
    maxTokens: z.int().min(MIN_TOKENS).max(4096).optional().openapi({
      description:
        "Texts are truncated to this many tokens. Without it: twice the longest example, from 32 to the bundle's limit.",
    }),
    seed: z.int().min(0).max(MAX_SEED).default(0).openapi({
      description: "Shuffles the texts before cross-validation. The same seed and examples give the same task.",
    }),
    targetAccuracy: fraction.default(TARGET_ACCURACY).openapi({
      description:
        "The accuracy that answers at or above the proposed score should reach. No number of texts shows an accuracy of 1.",
    }),
  })
  .openapi("LearnTaskRequest");

/** Whether to write, and what happens to the profiles of a task that is replaced. */
export const LearnTaskQuery = ExistingProfilesQuery.extend({
  dryRun: z.enum(["true", "false"]).default("false").openapi({ description: "Whether to write nothing." }),
});

const Progress = z
  .object({ phase: z.enum(["reading", "fitting"]), done: fraction, secondsLeft: z.int() })
  .openapi("LearnTaskProgress", { description: "The data of a `progress` event." });

const Result = z
  .object({
    task: TaskName,
    generation: LastWrite.generation
      .nullable()
      .openapi({ description: "The new generation; null if nothing was written." }),
    created: z.boolean(),
    file: TaskFile,
    texts: z.int().openapi({ description: "Different texts." }),
    heldOut: z
      .object({
        accuracy: fraction,
        majority: fraction.openapi({ description: "Accuracy of always answering the most frequent label." }),
        loss: z.number().openapi({ description: "Mean cross entropy, in nats." }),
        calibrationError: fraction.openapi({
          description: "Mean distance of score and accuracy, over ten bins of scores.",
        }),
      })
      .openapi({ description: "Scores of cross-validation: each text was held out once." }),
    abstain: z
      .object({
        below: fraction.nullable().openapi({
          description:
            "A score for abstainBelow of a prediction: the lowest one at which the lower end of a Wilson 80% interval for the accuracy of held-out answers reaches the target; null if none does.",
        }),
        answered: fraction.openapi({ description: "Fraction of the held-out texts with that score or a higher one." }),
        accuracy: fraction
          .nullable()
          .openapi({ description: "The plain accuracy on these, without the interval; null if there are none." }),
      })
      .openapi({
        description:
          "The proposed threshold for abstaining. The same held-out texts choose and judge it, so its figures are slightly optimistic.",
      }),
    seconds: z.number(),
    bookmark: z
      .string()
      .nullable()
      .openapi({ description: `Send it as \`${BOOKMARK}\` to read what was written.` }),
  })
  .openapi("LearntTask", { description: "The data of the last event, `learnt`." });

/** The schemas of the events' data. */
export const LearnTaskEvent = z.union([Progress, Result]);

/** The events' data, by event name; for clients. @public */
export interface LearnTaskEvents {
  progress: z.infer<typeof Progress>;
  learnt: z.infer<typeof Result>;
}
