import { createRoute, z } from "@hono/zod-openapi";
import type { App } from "../env.ts";
import { limitBody, requireUtf8 } from "../middleware/body.ts";
import { problemResponses } from "../problem.ts";
import { ProfileId, TaskName } from "../schemas.ts";
import { serviceOf } from "../service.ts";

const MAX_INPUTS = 64;

/** A lone surrogate stands for no character, and no tokenizer was trained on one. */
const Text = z.string().refine((text) => text.isWellFormed(), "has half of a surrogate pair");

const TextInput = z
  .strictObject({
    text: Text.openapi({ example: "Senate Passes Bill After Long Night" }),
    textPair: Text.optional().openapi({ description: "A second text, read after the first." }),
  })
  .openapi("TextInput");

const OneInput = z.union([Text, TextInput], "must be a text, or an object with a text in it");

const PredictBody = z
  .strictObject({
    task: TaskName,
    profile: ProfileId,
    inputs: z
      .union([Text, TextInput, z.array(OneInput).min(1).max(MAX_INPUTS)], "must be one text or a list of texts")
      .openapi({ description: `One text, or 1 to ${MAX_INPUTS} of them.` }),
    onUnknownProfile: z.enum(["error", "default"]).default("error").openapi({
      description:
        "Whether a profile that the task has not is an error or gets the task's default masks, which go without a label bias.",
    }),
    scores: z.boolean().default(false).openapi({ description: "Whether every label's score is wanted." }),
  })
  .openapi("PredictRequest");

const milliseconds = z.number().nonnegative();

const PredictAnswer = z
  .object({
    task: z.string(),
    profile: z.string(),
    masks: z.enum(["profile", "default"]).openapi({ description: "Whose masks were used." }),
    generation: z.int().min(1).openapi({ description: "Generation of the row that the masks came from." }),
    bundle: z.string().openapi({ description: "Id of the bundle that answered." }),
    predictions: z
      .array(
        z.object({
          label: z.string().openapi({ example: "POLITICS" }),
          score: z.number().min(0).max(1),
          scores: z.record(z.string(), z.number().min(0).max(1)).optional(),
          tokens: z.int().openapi({ description: "Tokens read, special tokens included." }),
          truncated: z.boolean().openapi({ description: "Whether the text was longer than the task reads." }),
        }),
      )
      .readonly()
      .openapi({ description: "One for each input, in their order." }),
    timings: z
      .object({
        tokenize: milliseconds,
        masks: milliseconds,
        merge: milliseconds,
        encoder: milliseconds,
        head: milliseconds,
        total: milliseconds,
      })
      .openapi({ description: "Milliseconds, over all inputs." }),
  })
  .openapi("PredictAnswer");

const route = createRoute({
  method: "post",
  path: "/v1/predict",
  summary: "Label texts as a profile would",
  middleware: [limitBody, requireUtf8] as const,
  request: { body: { required: true, content: { "application/json": { schema: PredictBody } } } },
  responses: {
    200: { description: "A label for each text.", content: { "application/json": { schema: PredictAnswer } } },
    ...problemResponses(
      "invalid_json",
      "invalid_unicode",
      "unknown_task",
      "unknown_profile",
      "bundle_mismatch",
      "payload_too_large",
      "unsupported_media_type",
      "invalid_request",
      "empty_text",
      "invalid_row",
      "invalid_mask",
      "invalid_label_bias",
      "database_unavailable",
      "bundle_unusable",
    ),
  },
});

/** `POST /v1/predict`: one or more texts, a task and a profile in; a label for each text out. */
export function registerPredict(app: App): void {
  app.openapi(route, async (c) => {
    const { inputs, ...request } = c.req.valid("json");
    const texts = (Array.isArray(inputs) ? inputs : [inputs]).map((input) =>
      typeof input === "string" ? { text: input } : input,
    );
    const { predict } = await serviceOf(c.env, c.executionCtx);
    return c.json(await predict({ ...request, inputs: texts }), 200);
  });
}
