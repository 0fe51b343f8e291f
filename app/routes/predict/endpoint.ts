import { createRoute, z } from "@hono/zod-openapi";
import { XpeftError } from "../../../src/errors.ts";
import { PROBE_TEXT } from "../../../src/serving/engine.ts";
import { MAX_TOKENS_IN_FLIGHT } from "../../../src/serving/overload.ts";
import { jsonAnswer } from "../../http/json.ts";
import { problemResponses } from "../../http/problem.ts";
import { createRouter } from "../../http/router.ts";
import { profileParams } from "../../http/row-schemas.ts";
import { MAX_INPUTS } from "../../http/text-schemas.ts";
import { ACCESS_PROBLEMS, byKeyOrToken } from "../../middleware/access.ts";
import { MAX_REQUESTS_IN_FLIGHT } from "../../middleware/body-budget.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { openProfile, PREDICT_PROBLEMS } from "./answer.ts";

const count = z.int().min(0);

/** What text-embeddings-inference says about itself, for a profile. */
const EndpointInfo = z
  .object({
    model_id: z.string().openapi({ description: "The PLM whose encoder reads the texts." }),
    model_sha: z.string().openapi({ description: "Id of the bundle." }),
    model_dtype: z.literal("int8"),
    model_type: z.object({
      classifier: z.object({ id2label: z.record(z.string(), z.string()), label2id: z.record(z.string(), count) }),
    }),
    max_concurrent_requests: count,
    max_input_length: count.openapi({ description: "Most tokens of a text that the task reads." }),
    max_batch_tokens: count.openapi({ description: "Most tokens in flight." }),
    max_batch_requests: z.literal(1).openapi({ description: "Texts run one at a time." }),
    max_client_batch_size: count.openapi({ description: "Most texts of one request." }),
    auto_truncate: z.boolean().openapi({ description: "Whether long texts are truncated by default." }),
    tokenization_workers: z.literal(1),
    version: z.string(),
    sha: z.null(),
    docker_label: z.null(),
  })
  .openapi("EndpointInfo");

/** The clients that a base of routes is for: their name in documents, and whether long texts are truncated for them. */
const BASES = {
  hf: { name: "HuggingFace", autoTruncate: true },
  tei: { name: "Tei", autoTruncate: false },
} as const;

type Base = keyof typeof BASES;

const healthRoute = <B extends Base>(base: B) =>
  createRoute({
    ...byKeyOrToken(noQuery),
    method: "get",
    path: `/v1/${base}/{task}/{profile}/health`,
    operationId: `checkHealthAs${BASES[base].name}`,
    tags: ["Predict"],
    summary: "Check that the profile can answer: label a text",
    request: { params: profileParams },
    responses: {
      200: { description: "The profile answers. The body is empty." },
      ...problemResponses(
        ...ACCESS_PROBLEMS,
        ...PREDICT_PROBLEMS,
        "unknown_profile",
        "invalid_mask",
        "invalid_label_bias",
      ),
    },
  });

const infoRoute = <B extends Base>(base: B) =>
  createRoute({
    ...byKeyOrToken(noQuery),
    method: "get",
    path: `/v1/${base}/{task}/{profile}/info`,
    operationId: `readInfoAs${BASES[base].name}`,
    tags: ["Predict"],
    summary: "Show the profile's labels and limits as text-embeddings-inference does",
    request: { params: profileParams },
    responses: {
      200: jsonAnswer("The endpoint.", EndpointInfo),
      ...problemResponses(...ACCESS_PROBLEMS, ...PREDICT_PROBLEMS, "unknown_profile", "invalid_label_bias"),
    },
  });

/** Creates the routes `health` and `info` of a base URL. */
function endpointRoutes<B extends Base>(base: B) {
  return createRouter()
    .openapi(healthRoute(base), async (c) => {
      const { task, profile } = c.req.valid("param");
      const { predictor, source } = await openProfile(c, { task, profile });
      // One text at a time is never rejected for its tokens: a busy service is healthy.
      for await (const answer of predictor.predictEach({ task, inputs: [{ profile, text: PROBE_TEXT }] }, source)) {
        if (answer instanceof XpeftError) throw answer;
      }
      return c.body(null, 200);
    })
    .openapi(infoRoute(base), async (c) => {
      const { task, profile } = c.req.valid("param");
      const { predictor, engine, source } = await openProfile(c, { task, profile });
      const { labels, maxTokens } = await predictor.readTask({ task, profile }, source);
      const { id, manifest } = engine.bundle;
      return c.json(
        {
          model_id: manifest.plm.name,
          model_sha: id,
          model_dtype: "int8" as const,
          model_type: {
            classifier: {
              id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
              label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
            },
          },
          max_concurrent_requests: MAX_REQUESTS_IN_FLIGHT,
          max_input_length: maxTokens,
          max_batch_tokens: MAX_TOKENS_IN_FLIGHT,
          max_batch_requests: 1 as const,
          max_client_batch_size: MAX_INPUTS,
          auto_truncate: BASES[base].autoTruncate,
          tokenization_workers: 1 as const,
          version: c.env.platform.about.version,
          sha: null,
          docker_label: null,
        },
        200,
      );
    });
}

/** `GET /v1/hf/{task}/{profile}/health` and `/info`: for `InferenceClient` of huggingface_hub. */
export const huggingFaceEndpointRoutes = endpointRoutes("hf");

/** `GET /v1/tei/{task}/{profile}/health` and `/info`: the routes of text-embeddings-inference. */
export const teiEndpointRoutes = endpointRoutes("tei");
