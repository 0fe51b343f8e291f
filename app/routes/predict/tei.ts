import { createRoute, z } from "@hono/zod-openapi";
import type { TextInput } from "../../../src/text/tokenizer.ts";
import { jsonAnswer, jsonRequest } from "../../http/json.ts";
import { problemResponses } from "../../http/problem.ts";
import { createRouter } from "../../http/router.ts";
import { profileParams } from "../../http/row-schemas.ts";
import { MAX_INPUTS, Text } from "../../http/text-schemas.ts";
import { ACCESS_PROBLEMS, byKeyOrToken } from "../../middleware/access.ts";
import { BODY_PROBLEMS, textsBody } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { answerPredictions, PREDICT_PROBLEMS, TEXT_PROBLEMS } from "./answer.ts";
import { Labels, scoreLabels } from "./huggingface.ts";

const OneOrTwo = z.array(Text).min(1).max(2).openapi({ description: "A text, or a pair that is read together." });

const Body = z
  .object({
    inputs: z
      .union([Text, OneOrTwo, z.array(OneOrTwo).min(1).max(MAX_INPUTS)], "must be a text, a pair or a list of lists")
      .openapi({ example: "Senate passes bill after long night" }),
    raw_scores: z.boolean().nullish().openapi({ description: "Whether to return logits in place of scores." }),
    truncate: z
      .boolean()
      .nullish()
      .openapi({ description: "Whether to truncate texts longer than the task reads. Otherwise they are rejected." }),
    truncation_direction: z
      .enum(["Right", "right"])
      .nullish()
      .openapi({ description: "Texts are truncated at their end." }),
  })
  .openapi("TeiRequest");

const route = createRoute({
  ...byKeyOrToken(noQuery, textsBody),
  method: "post",
  path: "/v1/tei/{task}/{profile}/predict",
  operationId: "predictAsTei",
  tags: ["Predict"],
  summary: "Label texts for clients of text-embeddings-inference",
  description:
    "The /predict route of text-embeddings-inference. Set the client's base URL to /v1/tei/{task}/{profile}.",
  request: {
    params: profileParams,
    body: jsonRequest(Body),
  },
  responses: {
    200: jsonAnswer(
      "Labels, best first. If the request has a list of lists, one such list for each text.",
      z.union([Labels, z.array(Labels)]).openapi("TeiAnswer"),
    ),
    ...problemResponses(...ACCESS_PROBLEMS, ...PREDICT_PROBLEMS, ...TEXT_PROBLEMS, ...BODY_PROBLEMS),
  },
});

type Inputs = z.infer<typeof Body>["inputs"];

function isBatch(inputs: Inputs): inputs is string[][] {
  return Array.isArray(inputs) && Array.isArray(inputs[0]);
}

function toTextInput(input: string | string[]): TextInput {
  if (typeof input === "string") return { text: input };
  const [text = "", textPair] = input;
  return textPair === undefined ? { text } : { text, textPair };
}

/** `POST /v1/tei/{task}/{profile}/predict`: answers as the sequence classification of text-embeddings-inference. */
export const teiRoutes = createRouter().openapi(route, async (c) => {
  const { task, profile } = c.req.valid("param");
  const { inputs, raw_scores, truncate } = c.req.valid("json");
  const batch: (string | string[])[] = isBatch(inputs) ? inputs : [inputs];
  const { predictions } = await answerPredictions(c, {
    task,
    inputs: batch.map((input) => ({ profile, ...toTextInput(input) })),
    scores: true,
    logits: true,
    truncate: truncate ?? false,
  });
  const labels = predictions.map((prediction) => scoreLabels(prediction, raw_scores ? "none" : "softmax"));
  return c.json(isBatch(inputs) ? labels : (labels[0] ?? []), 200);
});
