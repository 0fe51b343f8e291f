import { z } from "@hono/zod-openapi";
import { NDJSON } from "../../http/ndjson.ts";
import { ProblemSchema } from "../../http/problem.ts";
import { Base64, HeadHash, ProfileId, TaskName } from "../../http/row-schemas.ts";

/** A line of profiles.ndjson. */
export const ProfileLine = z
  .object({
    task: TaskName,
    profile: ProfileId,
    headHash: HeadHash.optional(),
    masks: Base64("The profile's mask blob; empty if it has no masks."),
    labelBias: Base64("The profile's label bias.").optional(),
  })
  .openapi("ProfileLine");

/** A line of an import. */
export const ImportedLine = ProfileLine.extend({
  generation: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    description: "The generation that the profile must be at; 0 if it must not exist.",
  }),
}).openapi("ImportedLine", { description: "A line of the body; each line is one such object." });

/** A line of an import's answer. */
export const ImportLine = z
  .union([
    z.object({
      line: z.int(),
      profile: ProfileId,
      status: z.enum(["created", "replaced", "unchanged"]),
      generation: z.int(),
    }),
    z.object({ line: z.int(), profile: ProfileId.nullable(), status: z.literal("failed"), error: ProblemSchema }),
    z.object({
      done: z.literal(true),
      dryRun: z.boolean().openapi({ description: "Whether nothing was written." }),
      created: z.int(),
      replaced: z.int(),
      unchanged: z.int(),
      failed: z.int(),
      bookmark: z.string().nullable().openapi({ description: "Send it as x-d1-bookmark to read what was written." }),
    }),
    z.object({ error: ProblemSchema }),
  ])
  .openapi("ImportLine");

/** Declares a body or an answer of JSON Lines. */
export const ndjsonContent = <S extends z.ZodType>(schema: S) => ({ [NDJSON]: { schema } });
