import { createRoute, z } from "@hono/zod-openapi";
import { parseSigningKeys } from "../../src/auth/signing-keys.ts";
import { checkShardMap } from "../../src/sharding/shard-map.ts";
import { onShard, shardNumbers } from "../../src/sharding/shards.ts";
import { createTaskRegistry } from "../../src/storage/tasks.ts";
import { jsonAnswer } from "../http/json.ts";
import { problemResponses } from "../http/problem.ts";
import { createRouter } from "../http/router.ts";
import { noQuery } from "../middleware/no-query.ts";
import { allowAnyone } from "../middleware/rate-limit.ts";
import { shardsWithoutSessions } from "../service/databases.ts";
import { ENGINE_PROBLEMS, serviceOf } from "../service/service.ts";

const Health = z
  .object({
    ready: z.literal(true),
    bundle: z.string().openapi({ description: "Id of the loaded bundle." }),
    probe: z.object({
      tokens: z.int().openapi({ description: "Tokens of the probe text." }),
      milliseconds: z.number().nonnegative(),
    }),
    database: z.boolean().openapi({ description: "Whether a database is bound. If so, every database has answered." }),
    waitingTokens: z.int().openapi({ description: "Tokens in flight: how busy the encoder is." }),
    heapBytes: z
      .int()
      .openapi({ description: "Bytes of WebAssembly memory of the encoder and the bundle's adapter pool." }),
  })
  .openapi("Health");

const route = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "checkHealth",
  tags: ["Service"],
  security: [],
  summary: "Check that the service can answer: run a text through the encoder and query the database",
  middleware: [allowAnyone, noQuery] as const,
  responses: {
    200: jsonAnswer("Engine and database work.", Health),
    ...problemResponses(
      "rate_limited",
      "invalid_setting",
      ...ENGINE_PROBLEMS,
      "database_unavailable",
      "invalid_row",
      "shard_map_mismatch",
    ),
  },
});

/** `GET /healthz`: answers 200 if a prediction can be made, else a problem that names the cause. */
export const healthRoutes = createRouter().openapi(route, async (c) => {
  const { engine } = await serviceOf(c.env.platform, c.executionCtx);
  const start = performance.now();
  const { tokens } = await engine.probe();
  const milliseconds = performance.now() - start;
  const { platform } = c.env;
  const tokenKeys = platform.tokenKeys();
  if (tokenKeys) parseSigningKeys(tokenKeys);
  // A deploy that serves profile tokens alone needs no database.
  const database = platform.databases.count() > 0 || !tokenKeys;
  if (database) {
    const shards = shardsWithoutSessions(platform);
    await checkShardMap(shards);
    await Promise.all(
      shardNumbers(shards).map((number) =>
        onShard(shards, number, (db) => createTaskRegistry(db).list({ limit: 1, after: "" }, null)),
      ),
    );
  }
  return c.json(
    {
      ready: true as const,
      bundle: engine.bundle.id,
      probe: { tokens, milliseconds },
      waitingTokens: engine.waitingTokens(),
      heapBytes: engine.heapBytes(),
      database,
    },
    200,
  );
});
