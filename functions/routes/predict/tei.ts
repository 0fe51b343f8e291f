import { createRoute, z } from "@hono/zod-openapi";
import type { TextInput } from "../../../src/text/tokenizer.ts";
import { problemResponses } from "../../http/problem.ts";
import { BY_KEY_OR_TOKEN, createRouter } from "../../http/router.ts";
import { ProfileId, TaskName } from "../../http/row-schemas.ts";
import { MAX_INPUTS, Text } from "../../http/text-schemas.ts";
import { ACCESS_PROBLEMS, requireAccess } from "../../middleware/access.ts";
import { BODY_PROBLEMS, textsBody } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { answerPredictions, PREDICT_PROBLEMS, TEXT_PROBLEMS } from "./answer.ts";
import { scoreLabels } from "./huggingface.ts";

const OneOrTwo = z.array(Text).min(1).max(2).openapi({ description: "A text, or two that are read together." });

const Body = z
  .object({
    inputs: z
      .union([Text, OneOrTwo, z.array(OneOrTwo).min(1).max(MAX_INPUTS)], "must be a text, a pair or a list of lists")
      .openapi({ example: "Senate passes bill after long night" }),
    raw_scores: z
      .boolean()
      .default(false)
      .openapi({ description: "Whether logits are wanted in the place of scores." }),
    truncate: z.boolean().nullish().openapi({ description: "Whether long texts are cut; if not, they are refused." }),
    truncation_direction: z
      .enum(["Right", "right"])
      .default("Right")
      .openapi({ description: "Texts are cut at their end." }),
  })
  .openapi("TeiRequest");

const Labels = z.array(z.object({ label: z.string(), score: z.number() }));

const route = createRoute({
  method: "post",
  path: "/v1/tei/{task}/{profile}/predict",
  operationId: "predictAsTei",
  tags: ["Predict"],
  summary: "Label texts as clients of text-embeddings-inference ask",
  description: "The /predict of text-embeddings-inference, for clients whose base URL is /v1/tei/{task}/{profile}.",
  "x-scope": "predict",
  security: BY_KEY_OR_TOKEN,
  middleware: [requireAccess("predict", { tokens: true }), noQuery, textsBody] as const,
  request: {
    params: z.object({ task: TaskName, profile: ProfileId }),
    body: { required: true, content: { "application/json": { schema: Body } } },
  },
  responses: {
    200: {
      description: "Labels, best first; a list of them for each text where a list of lists was sent.",
      content: { "application/json": { schema: z.union([Labels, z.array(Labels)]).openapi("TeiAnswer") } },
    },
    ...problemResponses(...ACCESS_PROBLEMS, ...PREDICT_PROBLEMS, ...TEXT_PROBLEMS, ...BODY_PROBLEMS),
  },
});

type Sent = z.infer<typeof Body>["inputs"];

function isBatch(inputs: Sent): inputs is string[][] {
  return Array.isArray(inputs) && Array.isArray(inputs[0]);
}

function textOf(one: string | string[]): TextInput {
  if (typeof one === "string") return { text: one };
  const [text = "", textPair] = one;
  return textPair === undefined ? { text } : { text, textPair };
}

/** `POST /v1/tei/{task}/{profile}/predict`: the sequence classification of text-embeddings-inference. */
export const teiRoutes = createRouter().openapi(route, async (c) => {
  const { task, profile } = c.req.valid("param");
  const { inputs: sent, raw_scores, truncate } = c.req.valid("json");
  const batch: (string | string[])[] = isBatch(sent) ? sent : [sent];
  const inputs = batch.map((one) => ({ profile, ...textOf(one) }));
  const { predictions } = await answerPredictions(c, {
    task,
    inputs,
    scores: true,
    logits: true,
    truncate: truncate ?? false,
  });
  const labels = predictions.map((prediction) => scoreLabels(prediction, raw_scores ? "none" : "softmax"));
  return c.json(isBatch(sent) ? labels : (labels[0] ?? []), 200);
});
