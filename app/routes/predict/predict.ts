import { createRoute, z } from "@hono/zod-openapi";
import type { Answer } from "../../../src/serving/predictor.ts";
import { jsonAnswer } from "../../http/json.ts";
import { problemResponses } from "../../http/problem.ts";
import { createRouter } from "../../http/router.ts";
import { ProfileId, TaskName } from "../../http/row-schemas.ts";
import {
  EngineName,
  MAX_INPUTS,
  Prediction,
  predictOptions,
  Text,
  TextInput,
  textFields,
} from "../../http/text-schemas.ts";
import { ACCESS_PROBLEMS, byKeyOrToken } from "../../middleware/access.ts";
import { BODY_PROBLEMS, textsBody } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { answerPredictions, PREDICT_PROBLEMS, TEXT_PROBLEMS } from "./answer.ts";

const OneInput = z.union([Text, TextInput], "must be a text, or an object with a text in it");

const OneProfile = z
  .strictObject({
    task: TaskName,
    profile: ProfileId,
    inputs: z
      .union([Text, TextInput, z.array(OneInput).min(1).max(MAX_INPUTS)], "must be one text or a list of texts")
      .openapi({ description: `One text, or 1 to ${MAX_INPUTS} of them.` }),
    ...predictOptions,
  })
  .openapi("PredictRequest", { description: "Texts under one profile." });

const ManyProfiles = z
  .strictObject({
    task: TaskName,
    inputs: z
      .array(z.strictObject({ ...textFields, profile: ProfileId }).openapi("ProfileInput"))
      .min(1)
      .max(MAX_INPUTS),
    ...predictOptions,
  })
  .openapi("MixedPredictRequest", { description: "Texts, each under its own profile." });

const milliseconds = z.number().nonnegative();

const PredictAnswer = z
  .object({
    task: z.string(),
    bundle: z.string().openapi({ description: "Id of the bundle that gave the answer." }),
    engine: EngineName,
    predictions: z.array(Prediction).openapi({ description: "One for each input, in order." }),
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
  ...byKeyOrToken(noQuery, textsBody),
  method: "post",
  path: "/v1/predict",
  operationId: "predict",
  tags: ["Predict"],
  summary: "Label texts under their profiles",
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.union([OneProfile, ManyProfiles], "must name a profile, for all texts or for each"),
          examples: {
            one: {
              summary: "One text under one profile",
              value: { task: "news", profile: "news-000", inputs: "Senate passes bill after long night" },
            },
            mixed: {
              summary: "Two profiles in one request",
              value: {
                task: "offense",
                inputs: [
                  { profile: "offense-000", text: "Only a fool would say that." },
                  { profile: "offense-024", text: "Only a fool would say that." },
                ],
                topK: 2,
              },
            },
          },
        },
      },
    },
  },
  responses: {
    200: jsonAnswer("A label for each text.", PredictAnswer),
    ...problemResponses(...ACCESS_PROBLEMS, ...PREDICT_PROBLEMS, ...TEXT_PROBLEMS, ...BODY_PROBLEMS),
  },
});

/** `POST /v1/predict`: labels texts under one or many profiles. */
export const predictRoutes = createRouter().openapi(route, async (c) => {
  const body = c.req.valid("json");
  if (!("profile" in body)) return c.json(toJson(await answerPredictions(c, body)), 200);
  const { inputs, profile, ...request } = body;
  const list = (Array.isArray(inputs) ? inputs : [inputs]).map((input) =>
    typeof input === "string" ? { profile, text: input } : { profile, ...input },
  );
  return c.json(toJson(await answerPredictions(c, { ...request, inputs: list })), 200);
});

function toJson({ predictions, ...answer }: Answer) {
  return { ...answer, predictions: [...predictions] };
}
