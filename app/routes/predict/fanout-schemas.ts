import { z } from "@hono/zod-openapi";
import { ProblemSchema } from "../../http/problem.ts";
import { ProfileId, ProfilePrefix, TaskName } from "../../http/row-schemas.ts";
import { predictOptions, textFields } from "../../http/text-schemas.ts";

/** Most ids of a request. */
const MAX_IDS = 1000;

/** Most profiles that `top` returns: they are sorted in memory. */
const MAX_BEST = 1000;

const score = z.number().min(0).max(1);

const Profiles = z
  .union([
    z.array(ProfileId).min(1).max(MAX_IDS).openapi({ uniqueItems: true }),
    z.strictObject({ prefix: ProfilePrefix }),
    z.literal("all", `must be a list of 1 to ${MAX_IDS} ids, an object with a prefix, or "all"`),
  ])
  .openapi({ description: "Which profiles: ids, each once; all ids with a prefix; or all of the task." });

/** A request to label one text under many profiles. */
export const FanOutBody = z
  .strictObject({
    task: TaskName,
    ...textFields,
    profiles: Profiles,
    label: z.string().min(1).optional().openapi({
      description:
        "The label whose score the lines have. Without minScore and top, only profiles that give this label have a line.",
      example: "POLITICS",
    }),
    minScore: score.optional().openapi({
      description: "The least score of the label; without a label, of the profile's best label.",
    }),
    top: z.int().min(1).max(MAX_BEST).optional().openapi({
      description:
        "Only that many of the profiles that the answer reads, those with the label's best scores, at its end. Needs a label.",
    }),
    after: z.string().max(128).default("").openapi({
      description: "Reads the profiles after this one. In a list, one of its ids.",
    }),
    truncate: predictOptions.truncate,
  })
  .superRefine(({ profiles, label, top, after }, context) => {
    const issue = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message });
    if (top !== undefined && label === undefined) issue("top", "needs a label");
    if (!Array.isArray(profiles)) return;
    const twice = profiles.find((id, index) => profiles.indexOf(id) !== index);
    if (twice !== undefined) issue("profiles", `has "${twice}" twice`);
    if (after !== "" && !profiles.includes(after)) issue("after", "is not in the list of profiles");
  })
  .openapi("FanOutRequest");

const count = z.int().min(0);

const Match = z.object({
  profile: z.string(),
  label: z.string(),
  score,
  generation: z.int().min(1).openapi({ description: "Generation of the profile." }),
});

const Counts = z.object({
  done: z.boolean().openapi({ description: "Whether this is the last line." }),
  profiles: count.openapi({ description: "Profiles read so far." }),
  matched: count.openapi({ description: "Lines with a label." }),
  failed: count.openapi({ description: "Lines with an error." }),
  labels: z.record(z.string(), count).openapi({
    description: "How many of the profiles give each label, whatever the filter.",
  }),
  tokens: count,
  truncated: z.boolean(),
  next: z.string().nullable().openapi({
    description: "The last profile read; null if there are no more. In the last line: send it as `after`.",
  }),
});

/** A line of the answer. */
export const FanOutAnswerLine = z
  .union([Match, z.object({ profile: z.string(), error: ProblemSchema }), Counts, z.object({ error: ProblemSchema })])
  .openapi("FanOutLine");

/** The lines of the answer, for clients. @public */
export interface FanOutLines {
  match: z.infer<typeof Match>;
  counts: z.infer<typeof Counts>;
}
