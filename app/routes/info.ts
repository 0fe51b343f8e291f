import { createRoute, z } from "@hono/zod-openapi";
import { MAX_TOKEN_BYTES } from "../../src/auth/profile-token.ts";
import { MAX_EXAMPLES, MAX_TEXT_TOKENS, MAX_TOKENS } from "../../src/learn/examples.ts";
import { MAX_TOKENS_IN_FLIGHT } from "../../src/serving/overload.ts";
import { jsonAnswer } from "../http/json.ts";
import { problemResponses } from "../http/problem.ts";
import { createRouter } from "../http/router.ts";
import { MAX_PAGE } from "../http/row-schemas.ts";
import { EngineName, MAX_INPUTS } from "../http/text-schemas.ts";
import { ACCESS_PROBLEMS, byKey } from "../middleware/access.ts";
import { MAX_TASK_BYTES, MAX_TEXTS_BYTES } from "../middleware/json-body.ts";
import { noQuery } from "../middleware/no-query.ts";
import { LEARN_SECONDS, MAX_BODY_BYTES_IN_FLIGHT, ROW_CACHE_BYTES } from "../platform/settings.ts";
import { ENGINE_PROBLEMS, serviceOf } from "../service/service.ts";
import { MAX_TEXT_LINE_BYTES } from "./predict/stream-lines.ts";
import { MAX_IMPORT_LINE_BYTES } from "./registry/import.ts";

const count = z.int().min(0);

const lookups = {
  hits: count.openapi({ description: "Lookups that found their entry in the cache." }),
  misses: count.openapi({ description: "Lookups that did not." }),
};

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
      pool: z.object({ kind: z.enum(["sign", "trained"]), firstLayer: count, size: count, chosen: count }),
      maxTokens: count,
    }),
    engine: EngineName,
    access: z.object({
      publicPredict: z.boolean().openapi({ description: "Whether predictions need no key." }),
      profileTokens: z.boolean().openapi({ description: "Whether the service makes and accepts profile tokens." }),
      rateLimit: z.boolean().openapi({ description: "Whether requests are rate limited." }),
    }),
    limits: z.object({
      inputs: count.openapi({ description: "Most texts of one request." }),
      textsBytes: count.openapi({ description: "Most bytes of a body with texts." }),
      taskBytes: count.openapi({ description: "Most bytes of a body with a task." }),
      textLineBytes: count.openapi({ description: "Most bytes of a line of a text stream." }),
      importLineBytes: count.openapi({ description: "Most bytes of a line of an import." }),
      tokenBytes: count.openapi({ description: "Most bytes of a profile token." }),
      waitingTokens: count.openapi({ description: "Most tokens in flight: texts that wait for the encoder." }),
      heldBytes: count.openapi({ description: "Most bytes of request bodies in flight." }),
      page: count.openapi({ description: "Most rows of a page." }),
      examples: count.openapi({ description: "Most examples for learning one profile." }),
      examplesTokens: count.openapi({ description: "Most tokens of these examples together." }),
      exampleTokens: count.openapi({ description: "Tokens that an example is truncated to." }),
      learnSeconds: count.openapi({ description: "Most seconds that learning may take." }),
    }),
    caches: z.object({
      ttlSeconds: count.openapi({
        description: "Seconds for which a cached row may be answered after the row was written.",
      }),
      rows: z.object({ tasks: count, profiles: count, bytes: count, maxBytes: count, ...lookups }),
      merged: z.object({ profiles: count, bytes: count, maxBytes: count, ...lookups }),
      trunks: z.object({ texts: count, bytes: count, maxBytes: count, ...lookups }),
    }),
  })
  .openapi("Info");

const route = createRoute({
  ...byKey("predict", noQuery),
  method: "get",
  path: "/v1/info",
  operationId: "readInfo",
  tags: ["Service"],
  summary: "Show the bundle, the limits and what this isolate caches",
  responses: {
    200: jsonAnswer("The service.", Info),
    ...problemResponses(...ACCESS_PROBLEMS, ...ENGINE_PROBLEMS),
  },
});

/** `GET /v1/info`: shows the bundle, the limits and the caches. `/v1/tasks` lists the tasks. */
export const infoRoutes = createRouter().openapi(route, async (c) => {
  const { engine, cache } = await serviceOf(c.env.platform, c.executionCtx);
  const { about, limits, settings, tokenKeys } = c.env.platform;
  const { publicPredict, cacheTtlSeconds } = settings();
  const { id, manifest } = engine.bundle;
  const { name, layers, hidden, bottleneck, maxTokens } = manifest;
  const { kind, firstLayer, size, chosen } = manifest.pool;
  const plm = { name: manifest.plm.name, licence: manifest.plm.licence };
  return c.json(
    {
      version: about.version,
      bundle: { id, name, plm, layers, hidden, bottleneck, pool: { kind, firstLayer, size, chosen }, maxTokens },
      engine: engine.name,
      access: { publicPredict, profileTokens: Boolean(tokenKeys()), rateLimit: limits.requests !== null },
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
        ...engine.caches(),
      },
    },
    200,
  );
});
