import { createRoute, z } from "@hono/zod-openapi";
import { permittedPrefix, requireProfile } from "../../../src/auth/access.ts";
import { XpeftError } from "../../../src/errors.ts";
import { fromBase64, toBase64 } from "../../../src/lib/base64.ts";
import { checkProfileParts } from "../../../src/profiles/file-format.ts";
import type { StoredProfile } from "../../../src/profiles/profile.ts";
import { checkTask } from "../../../src/profiles/task.ts";
import { createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { problemResponses } from "../../http/problem.ts";
import { BY_KEY, createRouter } from "../../http/router.ts";
import {
  Base64,
  Deleted,
  etagOf,
  GenerationHeaders,
  LastWrite,
  NextPage,
  PageParams,
  Preconditions,
  ProfileId,
  ProfilePrefix,
  preconditionOf,
  TaskName,
} from "../../http/row-schemas.ts";
import { ACCESS_PROBLEMS, requireAccess } from "../../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_PROFILE_BYTES } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { openRegistry, SHARD_PROBLEMS } from "../../platform/databases.ts";
import { BUNDLE_PROBLEMS, isolateBundle } from "../../platform/isolate.ts";
import { checkSubmitted } from "./submitted.ts";

const parts = {
  masks: Base64("The profile's mask blob."),
  labelBias: Base64(
    "The profile's label bias, an int8 for each label in sixteenths; null where it has none.",
  ).nullable(),
};

/** A profile as it is stored. */
export const Profile = z
  .object({
    task: TaskName,
    profile: ProfileId,
    ...parts,
    maskBytes: z.int().openapi({ description: "Bytes of the mask blob.", example: 156 }),
    labelBiasBytes: z.int().openapi({ description: "Bytes of the label bias; 0 where there is none.", example: 5 }),
    ...LastWrite,
  })
  .openapi("Profile");

/** The answer that shows a profile. */
export function profileAnswer({
  task,
  id,
  masks,
  labelBias,
  generation,
  updatedAt,
}: StoredProfile): z.infer<typeof Profile> {
  return {
    task,
    profile: id,
    masks: toBase64(masks),
    labelBias: labelBias && toBase64(labelBias),
    maskBytes: masks.length,
    labelBiasBytes: labelBias?.length ?? 0,
    generation,
    updatedAt: updatedAt.toISOString(),
  };
}

const ProfilePage = z.object({ profiles: z.array(Profile), next: NextPage }).openapi("ProfilePage");

const ProfileBody = z
  .strictObject({
    task: TaskName.optional(),
    profile: ProfileId.optional(),
    masks: parts.masks,
    labelBias: parts.labelBias
      .optional()
      .openapi({ description: "Left out or null: the profile has none from now on." }),
  })
  .openapi("ProfileParts");

const ProfileWritten = z
  .object({ task: TaskName, profile: ProfileId, generation: LastWrite.generation, created: z.boolean() })
  .openapi("ProfileWritten");

const params = z.object({ task: TaskName, profile: ProfileId });

const list = createRoute({
  method: "get",
  path: "/v1/profiles/{task}",
  operationId: "listProfiles",
  tags: ["Registry"],
  summary: "List a task's profiles that the caller reaches, by id",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write")] as const,
  request: { params: z.object({ task: TaskName }), query: PageParams.extend({ prefix: ProfilePrefix }) },
  responses: {
    200: { description: "Profiles, by id.", content: { "application/json": { schema: ProfilePage } } },
    ...problemResponses(...ACCESS_PROBLEMS, ...SHARD_PROBLEMS, "unknown_task"),
  },
});

const read = createRoute({
  method: "get",
  path: "/v1/profiles/{task}/{profile}",
  operationId: "readProfile",
  tags: ["Registry"],
  summary: "Show what is stored for a profile",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write"), noQuery] as const,
  request: { params },
  responses: {
    200: {
      description: "The profile's row.",
      headers: GenerationHeaders,
      content: { "application/json": { schema: Profile } },
    },
    ...problemResponses(...ACCESS_PROBLEMS, ...SHARD_PROBLEMS, "unknown_task", "unknown_profile"),
  },
});

const write = createRoute({
  method: "put",
  path: "/v1/profiles/{task}/{profile}",
  operationId: "writeProfile",
  tags: ["Registry"],
  summary: "Create or replace a profile",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [
    requireAccess("write"),
    noQuery,
    jsonBody(MAX_PROFILE_BYTES, "Masks of this bundle are far smaller."),
  ] as const,
  request: {
    params,
    headers: Preconditions,
    body: { required: true, content: { "application/json": { schema: ProfileBody } } },
  },
  responses: {
    200: {
      description: "The profile is written.",
      headers: GenerationHeaders,
      content: { "application/json": { schema: ProfileWritten } },
    },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      ...BODY_PROBLEMS,
      "unknown_task",
      "mismatched_write",
      "bundle_mismatch",
      "write_conflict",
      "generation_mismatch",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/profiles/{task}/{profile}",
  operationId: "deleteProfile",
  tags: ["Registry"],
  summary: "Delete a profile and its history",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write"), noQuery] as const,
  request: { params, headers: Preconditions },
  responses: {
    200: { description: "The profile is gone.", content: { "application/json": { schema: Deleted } } },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      "unknown_task",
      "unknown_profile",
      "generation_mismatch",
    ),
  },
});

/** `/v1/profiles`: list, read, write and delete profiles. */
export const profileRoutes = createRouter()
  .openapi(list, async (c) => {
    const { task } = c.req.valid("param");
    const { prefix, ...page } = c.req.valid("query");
    const { items, next } = await createShardedProfileRegistry(await openRegistry(c)).list(
      task,
      page,
      permittedPrefix(c.get("access"), task, prefix),
    );
    return c.json({ profiles: items.map(profileAnswer), next }, 200);
  })
  .openapi(read, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const profile = await createShardedProfileRegistry(await openRegistry(c)).get({ task, id });
    return c.json(profileAnswer(profile), 200, { etag: etagOf(profile.generation) });
  })
  .openapi(write, async (c) => {
    const { task: name, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), name, id);
    const { task: ofTask = name, profile: ofProfile = id, masks, labelBias = null } = c.req.valid("json");
    if (ofTask !== name || ofProfile !== id) {
      throw new XpeftError(
        "mismatched_write",
        `This is profile "${ofProfile}" of task "${ofTask}", and the path says "${id}" of "${name}".`,
        "Send a profile to the path of its own name, or leave the names out of the body.",
      );
    }
    const sent = { masks: fromBase64(masks), labelBias: labelBias === null ? null : fromBase64(labelBias) };
    const shards = await openRegistry(c);
    const bundle = await isolateBundle(c.env, c.executionCtx);
    const task = await createShardedTaskRegistry(shards).get(name);
    checkTask(task, bundle);
    checkSubmitted(() => checkProfileParts(sent, task, bundle));
    const expected = preconditionOf(c.req.valid("header"));
    const written = await createShardedProfileRegistry(shards).put({ task: name, id }, sent, task.generation, expected);
    return c.json({ task: name, profile: id, ...written }, 200, { etag: etagOf(written.generation) });
  })
  .openapi(remove, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const expected = preconditionOf(c.req.valid("header"));
    const generation = await createShardedProfileRegistry(await openRegistry(c)).delete({ task, id }, expected);
    return c.json({ generation }, 200);
  });
