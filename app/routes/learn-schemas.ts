import { z } from "@hono/zod-openapi";
import { MAX_EXAMPLES } from "../../src/learn/examples.ts";
import { MAX_PASSES, MAX_SEED, RECIPE } from "../../src/learn/recipe.ts";
import { BOOKMARK } from "../http/bookmarks.ts";
import { Base64, HeadHash, KnownLabels, LastWrite, ProfileId, TaskName } from "../http/row-schemas.ts";
import { textFields } from "../http/text-schemas.ts";

const Example = z
  .strictObject({
    ...textFields,
    label: z.union([z.string(), z.number()]).openapi({
      description:
        "One of the task's labels, or a text that differs only in white space at its ends or in Unicode form. If all labels are whole numbers, any number from the smallest to the largest.",
      example: "POLITICS",
    }),
  })
  .openapi("Example");

/** What to learn a profile from. */
export const LearnBody = z
  .strictObject({
    examples: z.array(Example).openapi({
      description: `2 to ${MAX_EXAMPLES} labelled texts with at least two different labels. They are not stored.`,
    }),
    start: z
      .union([z.enum(["auto", "default", "own"]), z.strictObject({ profile: ProfileId })])
      .default("auto")
      .openapi({
        description:
          "Where learning starts. default: the task's default masks. own: the profile's current masks. {profile}: another profile's masks. auto: the default, unless the best of up to 64 other profiles explains the examples clearly better.",
      }),
    knownLabels: KnownLabels.optional().openapi({
      description:
        "The labels that the profile will know. Examples may have only these. By default, an existing profile keeps its known labels, a new one has those of the profile that start names, otherwise all labels of the task.",
    }),
    epochs: z.int().min(1).max(MAX_PASSES).default(RECIPE.passes).openapi({
      description: "Passes over the examples that train masks. A head needs none.",
    }),
    seed: z
      .int()
      .min(0)
      .max(MAX_SEED)
      .default(0)
      .openapi({ description: "The same seed and examples give the same profile." }),
    dryRun: z.boolean().default(false).openapi({ description: "Whether to write nothing." }),
    force: z.boolean().default(false).openapi({
      description: "Whether start auto replaces an existing profile even if nothing was gained.",
    }),
  })
  .openapi("LearnRequest");

const fraction = z.number().min(0).max(1);

const HeldOutScore = z.object({
  loss: z.number().openapi({ description: "Mean cross entropy, in nats." }),
  accuracy: fraction,
});

const Progress = z
  .object({
    phase: z.enum(["start", "left-out", "all"]),
    pass: z.int(),
    passes: z.int(),
    loss: z.number().nullable(),
    leftOutAccuracy: fraction.nullable(),
    done: fraction,
    secondsLeft: z.int(),
  })
  .openapi("LearnProgress", { description: "The data of a `progress` event." });

const Result = z
  .object({
    task: TaskName,
    profile: ProfileId,
    generation: LastWrite.generation
      .nullable()
      .openapi({ description: "The new generation; null if nothing was written." }),
    created: z.boolean(),
    notWritten: z.enum(["dry-run", "no-gain"]).nullable().openapi({
      description:
        "Why nothing was written; null if the profile was written. no-gain: the profile exists and nothing was gained, so it stays as it is; a dry run says this too.",
    }),
    headHash: HeadHash,
    masks: Base64("The learnt masks; empty if the profile has no masks."),
    pool: z
      .object({ firstLayer: z.int(), size: z.int(), chosen: z.int() })
      .openapi({ description: "The pool that the masks choose from: the task's own or the bundle's." }),
    labelBias: Base64("The learnt label bias; null if there is none.").nullable(),
    start: ProfileId.nullable().openapi({
      description: "The profile that learning started from; null for the task's default.",
    }),
    kept: z.enum(["head", "masks"]).openapi({
      description:
        "The candidate that won. head: a new label bias and head change, under the start's masks if it has any. masks: new masks and a label bias; they are trained only where the task uses masks, and win there unless the head's held-out loss is lower by more than a standard error.",
    }),
    epochs: z.int().openapi({ description: "Passes that the masks were trained for; 0 if they are the start's." }),
    leftOut: z
      .object({
        texts: z.int(),
        start: HeldOutScore,
        learnt: HeldOutScore,
        gain: z.number(),
        trusted: z.boolean(),
        gained: z.boolean(),
      })
      .openapi({
        description:
          "Scores on held-out examples, for the start and for the winning candidate. gain: the difference in accuracy. trusted: whether the loss fell by more than chance. gained: whether the loss fell and the accuracy did not, or trusted is true. The winner is chosen on the same examples, so its own scores are slightly optimistic; trusted allows for that.",
      }),
    seconds: z.number(),
    bookmark: z
      .string()
      .nullable()
      .openapi({
        description: `Send it as \`${BOOKMARK}\` to read what was written.`,
      }),
  })
  .openapi("Learnt", { description: "The data of the last event, `learnt`." });

/** The schemas of the events' data. */
export const LearnEvent = z.union([Progress, Result]);

/** The events' data, by event name; for clients. @public */
export interface LearnEvents {
  progress: z.infer<typeof Progress>;
  learnt: z.infer<typeof Result>;
}
