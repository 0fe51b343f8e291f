import { createRoute, z } from "@hono/zod-openapi";
import { requireProfile } from "../../src/auth/access.ts";
import { signToken } from "../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../src/auth/signing-keys.ts";
import { unknownProfileError, unknownTaskError } from "../../src/profiles/not-found.ts";
import { checkTask } from "../../src/profiles/task.ts";
import { createShardedProfileStore } from "../../src/sharding/store.ts";
import { jsonAnswer, jsonRequest } from "../http/json.ts";
import { createRouter } from "../http/router.ts";
import { LastWrite, ProfileId, profileParams, TaskName } from "../http/row-schemas.ts";
import { byKey } from "../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_PROFILE_BYTES } from "../middleware/json-body.ts";
import { noQuery } from "../middleware/no-query.ts";
import { registryProblems, withRegistry } from "../middleware/registry.ts";
import { BUNDLE_PROBLEMS, bundleOf } from "../service/service.ts";

const DAY = 24 * 60 * 60;

const TokenBody = z
  .strictObject({
    ttlSeconds: z
      .int()
      .min(60)
      .max(366 * DAY)
      .default(DAY)
      .openapi({ description: "Seconds until the token expires.", example: DAY }),
    carry: z.enum(["profile", "all"]).default("profile").openapi({
      description:
        "profile: the token has the profile's masks and label bias, and names the task by a hash. all: it has the task's labels that the profile knows, their rows of the head, and the adapter too, so a prediction needs no database; an adapter of the default bundle is too large for that.",
    }),
  })
  .openapi("TokenRequest");

const TokenAnswer = z
  .object({
    token: z.string().openapi({ description: "Send it as Authorization: Bearer, in place of a key." }),
    task: TaskName,
    profile: ProfileId,
    generation: LastWrite.generation,
    expiresAt: z.iso.datetime(),
    bytes: z.int().openapi({ description: "Bytes of the token." }),
  })
  .openapi("TokenAnswer");

const route = createRoute({
  ...byKey("write", noQuery, jsonBody(MAX_PROFILE_BYTES, "Send ttlSeconds and carry only."), withRegistry),
  method: "post",
  path: "/v1/profiles/{task}/{profile}/token",
  operationId: "makeToken",
  tags: ["Tokens"],
  summary: "Make a signed token that carries the profile",
  request: {
    params: profileParams,
    body: jsonRequest(TokenBody),
  },
  responses: {
    200: jsonAnswer("The token.", TokenAnswer),
    ...registryProblems(
      ...BODY_PROBLEMS,
      "token_too_large",
      "invalid_label_bias",
      "unknown_task",
      "unknown_profile",
      "bundle_mismatch",
      "tokens_not_set_up",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

/** `POST /v1/profiles/{task}/{profile}/token`: signs a profile as a token that requests carry. */
export const tokenRoutes = createRouter().openapi(route, async (c) => {
  const { task: name, profile: id } = c.req.valid("param");
  requireProfile(c.get("access"), name, id);
  const { platform } = c.env;
  const keys = parseSigningKeys(platform.tokenKeys());
  const { shards } = await c.get("registry")();
  const { task, profiles } = await createShardedProfileStore(shards, null).read(name, [id], null);
  if (!task) throw unknownTaskError(name);
  const profile = profiles.get(id);
  if (!profile) throw unknownProfileError(name, id);
  checkTask(task, await bundleOf(platform, c.executionCtx));
  const { token, expiresAt } = await signToken(keys, task, profile, {
    ...c.req.valid("json"),
    // A token ends with the key that made it, apart from a tolerance for clocks.
    until: c.get("access").expiresAt,
    now: new Date(platform.now()),
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
