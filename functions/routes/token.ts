import { createRoute, z } from "@hono/zod-openapi";
import { requireProfile } from "../../src/auth/access.ts";
import { signToken } from "../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../src/auth/signing-keys.ts";
import { unknownProfileError, unknownTaskError } from "../../src/profiles/not-found.ts";
import { checkTask } from "../../src/profiles/task.ts";
import { createShardedProfileStore } from "../../src/sharding/store.ts";
import { problemResponses } from "../http/problem.ts";
import { BY_KEY, createRouter } from "../http/router.ts";
import { LastWrite, ProfileId, TaskName } from "../http/row-schemas.ts";
import { ACCESS_PROBLEMS, requireAccess } from "../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_PROFILE_BYTES } from "../middleware/json-body.ts";
import { noQuery } from "../middleware/no-query.ts";
import { openRegistry, SHARD_PROBLEMS } from "../platform/databases.ts";
import { BUNDLE_PROBLEMS, isolateBundle } from "../platform/isolate.ts";

const DAY = 24 * 60 * 60;

const TokenBody = z
  .strictObject({
    ttlSeconds: z
      .int()
      .min(60)
      .max(366 * DAY)
      .default(DAY)
      .openapi({ description: "Seconds for which the token is taken.", example: DAY }),
    carry: z.enum(["all", "masks"]).default("all").openapi({
      description:
        "Whether the task's labels and head are in the token too, so that a prediction needs no database at all; or the profile's own parts only, which makes it a hundred times smaller.",
    }),
  })
  .openapi("TokenRequest");

const TokenAnswer = z
  .object({
    token: z.string().openapi({ description: "To be sent as Authorization: Bearer, in the place of a key." }),
    task: TaskName,
    profile: ProfileId,
    generation: LastWrite.generation,
    expiresAt: z.iso.datetime(),
    bytes: z.int().openapi({ description: "Bytes of the token." }),
  })
  .openapi("TokenAnswer");

const route = createRoute({
  method: "post",
  path: "/v1/profiles/{task}/{profile}/token",
  operationId: "makeToken",
  tags: ["Tokens"],
  summary: "Make a token that holds the profile",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write"), noQuery, jsonBody(MAX_PROFILE_BYTES, "Two fields are all there is.")] as const,
  request: {
    params: z.object({ task: TaskName, profile: ProfileId }),
    body: { required: true, content: { "application/json": { schema: TokenBody } } },
  },
  responses: {
    200: { description: "The token.", content: { "application/json": { schema: TokenAnswer } } },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      ...BODY_PROBLEMS,
      "token_too_large",
      "unknown_task",
      "unknown_profile",
      "bundle_mismatch",
      "tokens_not_set_up",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

/** `POST /v1/profiles/{task}/{profile}/token`: the profile, signed, to travel with requests. */
export const tokenRoutes = createRouter().openapi(route, async (c) => {
  const { task: name, profile: id } = c.req.valid("param");
  requireProfile(c.get("access"), name, id);
  const keys = parseSigningKeys(c.env.TOKEN_KEYS);
  const { task, profiles } = await createShardedProfileStore(await openRegistry(c), null).read(name, [id], null);
  if (!task) throw unknownTaskError(name);
  const profile = profiles.get(id);
  if (!profile) throw unknownProfileError(name, id);
  checkTask(task, await isolateBundle(c.env, c.executionCtx));
  const { token, expiresAt } = await signToken(keys, task, profile, {
    ...c.req.valid("json"),
    // A token is as good as the key that made it, and no longer, but for what clocks may differ by.
    until: c.get("access").expiresAt,
    now: new Date(),
  });
  return c.json(
    {
      token,
      task: name,
      profile: id,
      generation: profile.generation,
      expiresAt: expiresAt.toISOString(),
      bytes: token.length,
    },
    200,
  );
});
