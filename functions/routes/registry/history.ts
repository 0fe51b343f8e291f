import { createRoute, z } from "@hono/zod-openapi";
import { requireProfile } from "../../../src/auth/access.ts";
import { createShardedHistory } from "../../../src/sharding/profiles.ts";
import { problemResponses } from "../../http/problem.ts";
import { BY_KEY, createRouter } from "../../http/router.ts";
import {
  etagOf,
  GenerationHeaders,
  LastWrite,
  Preconditions,
  ProfileId,
  preconditionOf,
  TaskName,
} from "../../http/row-schemas.ts";
import { ACCESS_PROBLEMS, requireAccess } from "../../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_PROFILE_BYTES } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { openRegistry, SHARD_PROBLEMS } from "../../platform/databases.ts";
import { Profile, profileAnswer } from "./profiles.ts";

const params = z.object({ task: TaskName, profile: ProfileId });

const History = z
  .object({ current: Profile, earlier: z.array(Profile).openapi({ description: "The latest first; five at most." }) })
  .openapi("History");

const read = createRoute({
  method: "get",
  path: "/v1/profiles/{task}/{profile}/history",
  operationId: "readHistory",
  tags: ["Registry"],
  summary: "Show a profile's last generations",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write"), noQuery] as const,
  request: { params },
  responses: {
    200: { description: "What can be gone back to.", content: { "application/json": { schema: History } } },
    ...problemResponses(...ACCESS_PROBLEMS, ...SHARD_PROBLEMS, "unknown_task", "unknown_profile"),
  },
});

const rollBack = createRoute({
  method: "post",
  path: "/v1/profiles/{task}/{profile}/rollback",
  operationId: "rollBackProfile",
  tags: ["Registry"],
  summary: "Write an earlier generation of a profile again",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write"), noQuery, jsonBody(MAX_PROFILE_BYTES, "A generation is a number.")] as const,
  request: {
    params,
    headers: Preconditions,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({
              generation: z
                .int()
                .min(1)
                .max(Number.MAX_SAFE_INTEGER)
                .openapi({ description: "Which one to go back to.", example: 2 }),
            })
            .openapi("RollBack"),
        },
      },
    },
  },
  responses: {
    200: {
      description: "The earlier masks and label bias, as a new generation.",
      headers: GenerationHeaders,
      content: {
        "application/json": {
          schema: z
            .object({ task: TaskName, profile: ProfileId, generation: LastWrite.generation })
            .openapi("RolledBack"),
        },
      },
    },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      ...BODY_PROBLEMS,
      "unknown_task",
      "unknown_profile",
      "unknown_generation",
      "generation_mismatch",
    ),
  },
});

/** `/v1/profiles/{task}/{profile}/history` and `/rollback`: what a profile was, and the way back to it. */
export const historyRoutes = createRouter()
  .openapi(read, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const { current, earlier } = await createShardedHistory(await openRegistry(c)).read({ task, id });
    return c.json({ current: profileAnswer(current), earlier: earlier.map(profileAnswer) }, 200);
  })
  .openapi(rollBack, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const { generation: to } = c.req.valid("json");
    const expected = preconditionOf(c.req.valid("header"));
    const generation = await createShardedHistory(await openRegistry(c)).rollBack({ task, id }, to, expected);
    return c.json({ task, profile: id, generation }, 200, { etag: etagOf(generation) });
  });
