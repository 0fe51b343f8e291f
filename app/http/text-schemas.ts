import { z } from "@hono/zod-openapi";

/** Most texts of one request that is not a stream. */
export const MAX_INPUTS = 64;

/** Most labels of one answer; more than any task has. */
export const MAX_TOP = 100_000;

/** A text. A lone surrogate stands for no character, and no tokenizer was trained on one. */
export const Text = z.string().refine((text) => text.isWellFormed(), "has half of a surrogate pair");

/** The fields of a text. Larger schemas spread these: extending a strict schema would reject the new fields. */
export const textFields = {
  text: Text.openapi({ example: "Senate Passes Bill After Long Night" }),
  textPair: Text.optional().openapi({ description: "A second text, read after the first." }),
};

/** A text without a profile. */
export const TextInput = z.strictObject(textFields).openapi("TextInput");

/** The engine of an answer. */
export const EngineName = z.enum(["kernels", "onnxruntime", "native"]).openapi({
  description: "What read the texts. A text's answer has the same bits, whatever it is sent with, within one engine.",
});

/** What the option abstainBelow does. */
export const ABSTAIN_BELOW = "Marks predictions whose score is lower with abstained: true. Label and score stay.";

/** Options of a prediction. */
export const predictOptions = {
  onUnknownProfile: z.enum(["error", "default"]).default("error").openapi({
    description:
      "error: an unknown profile is an error. default: it is answered with the task's default masks, without a label bias.",
  }),
  truncate: z
    .boolean()
    .default(true)
    .openapi({ description: "Whether to truncate texts longer than the task reads. With false they are rejected." }),
  abstainBelow: z.number().min(0).max(1).optional().openapi({ description: ABSTAIN_BELOW, example: 0.6 }),
  topK: z
    .int()
    .min(1)
    .max(MAX_TOP)
    .optional()
    .openapi({ description: "How many of the best labels to return, with their scores.", example: 3 }),
  scores: z.boolean().default(false).openapi({ description: "Whether to return every label's score." }),
  logits: z.boolean().default(false).openapi({
    description: "Whether to return every label's logit, label bias included. Scores are the softmax of the logits.",
  }),
};

const score = z.number().min(0).max(1);

/** A label and its score. */
const ScoredLabel = z.object({ label: z.string().openapi({ example: "POLITICS" }), score }).openapi("ScoredLabel");

/** The answer for one text. */
export const Prediction = z
  .object({
    profile: z.string().openapi({ example: "news-000" }),
    masks: z.enum(["profile", "default", "token"]).openapi({ description: "Where the masks came from." }),
    generation: z.int().min(1).openapi({ description: "Generation of the row that has the masks." }),
    label: z.string().openapi({ example: "POLITICS" }),
    score,
    abstained: z
      .literal(true)
      .optional()
      .openapi({ description: "The score is below abstainBelow; otherwise absent." }),
    top: z.array(ScoredLabel).optional().openapi({ description: "The best labels, best first; only with topK." }),
    scores: z.record(z.string(), score).optional(),
    logits: z.record(z.string(), z.number()).optional(),
    tokens: z.int().openapi({ description: "Tokens read, special tokens included." }),
    truncated: z.boolean().openapi({ description: "Whether the text was longer than the task reads." }),
  })
  .openapi("Prediction");
