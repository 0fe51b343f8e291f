import { createRoute, z } from "@hono/zod-openapi";
import { version } from "../../package.json";
import { MAX_TOKEN_BYTES } from "../../src/auth/profile-token.ts";
import { MAX_EXAMPLES, MAX_TEXT_TOKENS, MAX_TOKENS } from "../../src/learn/examples.ts";
import { MAX_TOKENS_IN_FLIGHT } from "../../src/serving/overload.ts";
import { problemResponses } from "../http/problem.ts";
import { BY_KEY, createRouter } from "../http/router.ts";
import { MAX_PAGE } from "../http/row-schemas.ts";
import { MAX_INPUTS } from "../http/text-schemas.ts";
import { ACCESS_PROBLEMS, requireAccess } from "../middleware/access.ts";
import { MAX_TASK_BYTES, MAX_TEXTS_BYTES } from "../middleware/json-body.ts";
import { noQuery } from "../middleware/no-query.ts";
import { isolateService } from "../platform/isolate.ts";
import { LEARN_SECONDS, MAX_BODY_BYTES_IN_FLIGHT, ROW_CACHE_BYTES, readSettings } from "../platform/settings.ts";
import { MAX_TEXT_LINE_BYTES } from "./predict/stream.ts";
import { MAX_IMPORT_LINE_BYTES } from "./registry/import-export.ts";

const count = z.int().min(0);

const Info = z
  .object({
    version: z.string(),
    bundle: z.object({
      id: z.string(),
      name: z.string(),
      plm: z.object({ name: z.string(), licence: z.string() }),
      layers: count,
      hidden: count,
      bottleneck: count,
      pool: z.object({ kind: z.enum(["sign", "trained"]), size: count, chosen: count }),
      maxTokens: count,
    }),
    access: z.object({
      publicPredict: z.boolean().openapi({ description: "Whether predictions need no key." }),
      profileTokens: z.boolean().openapi({ description: "Whether profile tokens are made and taken." }),
      rateLimit: z.boolean().openapi({ description: "Whether callers are held to a number of requests." }),
    }),
    limits: z.object({
      inputs: count.openapi({ description: "Texts of one request." }),
      textsBytes: count.openapi({ description: "Bytes of a body with texts." }),
      taskBytes: count.openapi({ description: "Bytes of a body with a task." }),
      textLineBytes: count.openapi({ description: "Bytes of a line of texts." }),
      importLineBytes: count.openapi({ description: "Bytes of a line of an import." }),
      tokenBytes: count.openapi({ description: "Bytes of a profile token." }),
      waitingTokens: count.openapi({ description: "Tokens that wait for the encoder at once." }),
      heldBytes: count.openapi({ description: "Bytes of bodies that are held at once." }),
      page: count.openapi({ description: "Rows of a page." }),
      examples: count.openapi({ description: "Examples of a learning." }),
      examplesTokens: count.openapi({ description: "Tokens of all examples of a learning." }),
      exampleTokens: count.openapi({ description: "Tokens that an example is cut to." }),
      learnSeconds: count.openapi({ description: "Seconds that a learning may take." }),
    }),
    caches: z.object({
      ttlSeconds: count.openapi({ description: "Seconds for which a row may be answered after it was written again." }),
      rows: z.object({ tasks: count, profiles: count, bytes: count, maxBytes: count }),
      merged: z.object({ profiles: count, bytes: count, maxBytes: count }),
    }),
  })
  .openapi("Info");

const route = createRoute({
  method: "get",
  path: "/v1/info",
  operationId: "readInfo",
  tags: ["Service"],
  summary: "Tell what is served, within which limits, and what this isolate's caches hold",
  "x-scope": "predict",
  security: BY_KEY,
  middleware: [requireAccess("predict"), noQuery] as const,
  responses: {
    200: { description: "The service.", content: { "application/json": { schema: Info } } },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      "invalid_manifest",
      "bundle_file_missing",
      "bundle_file_corrupt",
      "bundle_unusable",
    ),
  },
});

/** `GET /v1/info`: the bundle, the limits and the caches. The tasks are at `/v1/tasks`. */
export const infoRoutes = createRouter().openapi(route, async (c) => {
  const { engine, cache } = await isolateService(c.env, c.executionCtx);
  const { publicPredict, cacheTtlSeconds } = readSettings(c.env);
  const { id, manifest } = engine.bundle;
  const { name, layers, hidden, bottleneck, maxTokens } = manifest;
  const { kind, size, chosen } = manifest.pool;
  const plm = { name: manifest.plm.name, licence: manifest.plm.licence };
  return c.json(
    {
      version,
      bundle: { id, name, plm, layers, hidden, bottleneck, pool: { kind, size, chosen }, maxTokens },
      access: { publicPredict, profileTokens: Boolean(c.env.TOKEN_KEYS), rateLimit: c.env.RATE_LIMITER !== undefined },
      limits: {
        inputs: MAX_INPUTS,
        textsBytes: MAX_TEXTS_BYTES,
        taskBytes: MAX_TASK_BYTES,
        textLineBytes: MAX_TEXT_LINE_BYTES,
        importLineBytes: MAX_IMPORT_LINE_BYTES,
        tokenBytes: MAX_TOKEN_BYTES,
        waitingTokens: MAX_TOKENS_IN_FLIGHT,
        heldBytes: MAX_BODY_BYTES_IN_FLIGHT,
        page: MAX_PAGE,
        examples: MAX_EXAMPLES,
        examplesTokens: MAX_TOKENS,
        exampleTokens: MAX_TEXT_TOKENS,
        learnSeconds: LEARN_SECONDS,
      },
      caches: {
        ttlSeconds: cacheTtlSeconds,
        rows: { ...cache.size(), maxBytes: 2 * ROW_CACHE_BYTES },
        merged: engine.mergedCache(),
      },
    },
    200,
  );
});
