import { z } from "@hono/zod-openapi";

/** Most texts of one request that is not a stream. */
export const MAX_INPUTS = 64;

/** Most labels that can be asked for at once; more than any task has. */
export const MAX_TOP = 100_000;

/** A lone surrogate stands for no character, and no tokenizer was trained on one. */
export const Text = z.string().refine((text) => text.isWellFormed(), "has half of a surrogate pair");

/** The fields of a text. What has them and more is built of these: a strict schema extended would allow nothing. */
export const textFields = {
  text: Text.openapi({ example: "Senate Passes Bill After Long Night" }),
  textPair: Text.optional().openapi({ description: "A second text, read after the first." }),
};

/** A text of a request that names its profile elsewhere. */
export const TextInput = z.strictObject(textFields).openapi("TextInput");

/** What an answer is to tell, and what is to be done where it is not plain. */
export const predictOptions = {
  onUnknownProfile: z.enum(["error", "default"]).default("error").openapi({
    description:
      "Whether a profile that the task has not is an error or gets the task's default masks, which go without a label bias.",
  }),
  truncate: z
    .boolean()
    .default(true)
    .openapi({ description: "Whether texts longer than the task reads are cut, or refused." }),
  topK: z
    .int()
    .min(1)
    .max(MAX_TOP)
    .optional()
    .openapi({ description: "How many of the best labels are wanted, with their scores.", example: 3 }),
  scores: z.boolean().default(false).openapi({ description: "Whether every label's score is wanted." }),
  logits: z.boolean().default(false).openapi({
    description: "Whether every label's logit is wanted, label bias included: what the scores are the softmax of.",
  }),
};

const score = z.number().min(0).max(1);

/** A label and its score. */
export const ScoredLabel = z
  .object({ label: z.string().openapi({ example: "POLITICS" }), score })
  .openapi("ScoredLabel");

/** The answer for one text. */
export const Prediction = z
  .object({
    profile: z.string().openapi({ example: "news-000" }),
    masks: z.enum(["profile", "default", "token"]).openapi({ description: "Whose masks were used." }),
    generation: z.int().min(1).openapi({ description: "Generation of the row that the masks came from." }),
    label: z.string().openapi({ example: "POLITICS" }),
    score,
    top: z.array(ScoredLabel).optional().openapi({ description: "The best labels, best first; with topK." }),
    scores: z.record(z.string(), score).optional(),
    logits: z.record(z.string(), z.number()).optional(),
    tokens: z.int().openapi({ description: "Tokens read, special tokens included." }),
    truncated: z.boolean().openapi({ description: "Whether the text was longer than the task reads." }),
  })
  .openapi("Prediction");
