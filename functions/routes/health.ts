import { createRoute, z } from "@hono/zod-openapi";
import { parseSigningKeys } from "../../src/auth/signing-keys.ts";
import { checkShardMap } from "../../src/sharding/shard-map.ts";
import { onShard, shardNumbers } from "../../src/sharding/shards.ts";
import { createTaskRegistry } from "../../src/storage/tasks.ts";
import { problemResponses } from "../http/problem.ts";
import { createRouter } from "../http/router.ts";
import { allowAnyone } from "../middleware/access.ts";
import { noQuery } from "../middleware/no-query.ts";
import { shardsWithoutSessions } from "../platform/databases.ts";
import { isolateService } from "../platform/isolate.ts";

const Health = z
  .object({
    ready: z.literal(true),
    bundle: z.string().openapi({ description: "Id of the bundle that is loaded." }),
    probe: z.object({
      tokens: z.int().openapi({ description: "Tokens of the text that was read." }),
      milliseconds: z.number().nonnegative(),
    }),
    database: z
      .boolean()
      .openapi({ description: "Whether there is one; if so, it has answered, and each if there are several." }),
    waitingTokens: z.int().openapi({ description: "Tokens that wait for the encoder: how busy it is." }),
    heapBytes: z
      .int()
      .openapi({ description: "Bytes of WebAssembly memory that the encoder and the adapter pool have taken." }),
  })
  .openapi("Health");

const route = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "checkHealth",
  tags: ["Service"],
  security: [],
  summary: "Tell whether texts can be answered, by reading one through the encoder and asking the database",
  middleware: [allowAnyone, noQuery] as const,
  responses: {
    200: { description: "Engine and database work.", content: { "application/json": { schema: Health } } },
    ...problemResponses(
      "rate_limited",
      "invalid_setting",
      "invalid_manifest",
      "bundle_file_missing",
      "bundle_file_corrupt",
      "bundle_unusable",
      "database_unavailable",
      "invalid_row",
      "shard_map_mismatch",
    ),
  },
});

/** `GET /healthz`: 200 where all that a prediction needs works, a problem that names the cause where it does not. */
export const healthRoutes = createRouter().openapi(route, async (c) => {
  const { engine } = await isolateService(c.env, c.executionCtx);
  const start = performance.now();
  const { tokens } = await engine.probe();
  const milliseconds = performance.now() - start;
  if (c.env.TOKEN_KEYS) parseSigningKeys(c.env.TOKEN_KEYS);
  // A deploy that answers for profile tokens only needs no database.
  const database = c.env.DB !== undefined || !c.env.TOKEN_KEYS;
  if (database) {
    const shards = shardsWithoutSessions(c.env);
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
