import { createRoute, z } from "@hono/zod-openapi";
import { MIN_TOKENS } from "../../../src/profiles/file-format.ts";
import { type AnsweredPrediction, rankLabels, type ScoredLabel as Scored } from "../../../src/serving/answer.ts";
import { jsonAnswer, jsonRequest } from "../../http/json.ts";
import { problemResponses } from "../../http/problem.ts";
import { RequestError } from "../../http/problem-codes.ts";
import { createRouter } from "../../http/router.ts";
import { profileParams } from "../../http/row-schemas.ts";
import { MAX_INPUTS, MAX_TOP, Text } from "../../http/text-schemas.ts";
import { ACCESS_PROBLEMS, byKeyOrToken } from "../../middleware/access.ts";
import { BODY_PROBLEMS, textsBody } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { answerPredictions, PREDICT_PROBLEMS, TEXT_PROBLEMS } from "./answer.ts";

const Pair = z.object({ text: Text, text_pair: Text.optional() });
const Input = z.union([Text, Pair], "must be a text, or an object with a text in it");

const Body = z
  .object({
    inputs: z.union([Text, Pair, z.array(Input).min(1).max(MAX_INPUTS)], "must be one text or a list of texts"),
    parameters: z
      .strictObject({
        top_k: z
          .int()
          .min(1)
          .max(MAX_TOP)
          .nullish()
          .openapi({ description: "How many of the best labels to return; all by default." }),
        return_all_scores: z.boolean().nullish().openapi({
          description: "An older form of top_k, which wins: false returns the best label only.",
        }),
        function_to_apply: z.enum(["softmax", "sigmoid", "none"]).nullish().openapi({
          description: "How a label's score is computed from its logit; softmax by default.",
        }),
        truncation: z
          .union([
            z.boolean(),
            z.enum(
              ["longest_first", "only_first", "do_not_truncate"],
              'must be true, false, "longest_first", "only_first" or "do_not_truncate"',
            ),
          ])
          .nullish()
          .openapi({
            description:
              "Whether to truncate texts longer than the task reads, as by default. With false or do_not_truncate they are rejected. only_first is for texts without a pair.",
          }),
        max_length: z.int().min(MIN_TOKENS).nullish().openapi({
          description:
            "The most tokens of a text, special tokens included, if these are fewer than the task reads. Without truncation it has no effect.",
        }),
        padding: z
          .union([z.boolean(), z.enum(["longest", "max_length", "do_not_pad"])])
          .nullish()
          .openapi({ description: "Accepted, and without effect: padding never changes an answer." }),
      })
      .nullish(),
  })
  .openapi("HuggingFaceRequest");

/** All labels of a text, best first. A score is a logit if the client wants those. */
export const Labels = z.array(z.object({ label: z.string(), score: z.number() }));

const route = createRoute({
  ...byKeyOrToken(noQuery, textsBody),
  method: "post",
  path: "/v1/hf/{task}/{profile}",
  operationId: "predictAsHuggingFace",
  tags: ["Predict"],
  summary: "Label texts for clients of Hugging Face's text-classification API",
  description:
    "Works with InferenceClient(model=URL).text_classification(text) of huggingface_hub and textClassification({endpointUrl}) of @huggingface/inference.",
  request: {
    params: profileParams,
    body: jsonRequest(Body),
  },
  responses: {
    200: jsonAnswer("The labels of each text, best first.", z.array(Labels).openapi("HuggingFaceAnswer")),
    ...problemResponses(...ACCESS_PROBLEMS, ...PREDICT_PROBLEMS, ...TEXT_PROBLEMS, ...BODY_PROBLEMS),
  },
});

/** Returns all labels with the score that a function gives their logits, best first. */
export function scoreLabels(
  { scores = {}, logits = {} }: AnsweredPrediction,
  apply: "softmax" | "sigmoid" | "none",
): Scored[] {
  const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
  const values = Object.entries(apply === "softmax" ? scores : logits);
  return rankLabels(
    values.map(([label]) => label),
    values.map(([, value]) => (apply === "sigmoid" ? sigmoid(value) : value)),
  );
}

/** `POST /v1/hf/{task}/{profile}`: answers as the text-classification of Hugging Face's inference API. */
export const huggingFaceRoutes = createRouter().openapi(route, async (c) => {
  const { task, profile } = c.req.valid("param");
  const { inputs, parameters } = c.req.valid("json");
  const list = (Array.isArray(inputs) ? inputs : [inputs]).map((input) =>
    typeof input === "string"
      ? { profile, text: input }
      : { profile, text: input.text, ...(input.text_pair !== undefined && { textPair: input.text_pair }) },
  );
  const { top_k, return_all_scores, function_to_apply, truncation, max_length } = parameters ?? {};
  if (truncation === "only_first" && list.some((input) => "textPair" in input)) {
    throw new RequestError(
      "invalid_request",
      'parameters.truncation: "only_first" would leave the second text of a pair long.',
      'Send "longest_first": the longer text of a pair is truncated first.',
    );
  }
  const truncate = truncation !== false && truncation !== "do_not_truncate";
  const { predictions } = await answerPredictions(c, {
    task,
    inputs: list,
    scores: true,
    logits: true,
    truncate,
    // As in transformers, only truncation limits a text's length.
    ...(truncate && max_length && { maxTokens: max_length }),
  });
  const count = top_k ?? (return_all_scores === false ? 1 : undefined);
  const answers = predictions.map((prediction) =>
    scoreLabels(prediction, function_to_apply ?? "softmax").slice(0, count),
  );
  return c.json(answers, 200);
});
