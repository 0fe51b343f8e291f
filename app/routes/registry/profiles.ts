import { createRoute, z } from "@hono/zod-openapi";
import { permittedPrefix, requireProfile } from "../../../src/auth/access.ts";
import { checkProfileFields } from "../../../src/profiles/file-format.ts";
import { unknownProfileError, unknownTaskError } from "../../../src/profiles/not-found.ts";
import { profileTaskOf } from "../../../src/profiles/profile-task.ts";
import { checkTask } from "../../../src/profiles/task.ts";
import { createShardedProfileStore } from "../../../src/sharding/store.ts";
import { jsonAnswer, jsonRequest, rowAnswer } from "../../http/json.ts";
import { RequestError } from "../../http/problem-codes.ts";
import { createRouter } from "../../http/router.ts";
import {
  Deleted,
  etagOf,
  PageParams,
  Preconditions,
  ProfilePrefix,
  preconditionOf,
  profileParams,
  TaskName,
} from "../../http/row-schemas.ts";
import { byKey } from "../../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_PROFILE_BYTES } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { registryProblems, withRegistry } from "../../middleware/registry.ts";
import { BUNDLE_PROBLEMS, bundleOf } from "../../service/service.ts";
import {
  ProfileBody,
  ProfileDetails,
  ProfilePage,
  ProfileWritten,
  partsOf,
  profileAnswer,
  profileDetails,
} from "./profile-schemas.ts";
import { checkSubmitted } from "./submitted.ts";

const list = createRoute({
  ...byKey("write", withRegistry),
  method: "get",
  path: "/v1/profiles/{task}",
  operationId: "listProfiles",
  tags: ["Registry"],
  summary: "List the profiles of a task that the key may access, by id",
  request: { params: z.object({ task: TaskName }), query: PageParams.extend({ prefix: ProfilePrefix }) },
  responses: { 200: jsonAnswer("Profiles, by id.", ProfilePage), ...registryProblems("unknown_task") },
});

const read = createRoute({
  ...byKey("write", noQuery, withRegistry),
  method: "get",
  path: "/v1/profiles/{task}/{profile}",
  operationId: "readProfile",
  tags: ["Registry"],
  summary: "Show a stored profile",
  request: { params: profileParams },
  responses: {
    200: rowAnswer("The profile's row.", ProfileDetails),
    ...registryProblems("unknown_task", "unknown_profile", "invalid_label_bias"),
  },
});

const write = createRoute({
  ...byKey("write", noQuery, jsonBody(MAX_PROFILE_BYTES, "Send the masks of one profile."), withRegistry),
  method: "put",
  path: "/v1/profiles/{task}/{profile}",
  operationId: "writeProfile",
  tags: ["Registry"],
  summary: "Create or replace a profile",
  request: { params: profileParams, headers: Preconditions, body: jsonRequest(ProfileBody) },
  responses: {
    200: rowAnswer("The profile is written.", ProfileWritten),
    ...registryProblems(
      ...BODY_PROBLEMS,
      "unknown_task",
      "unknown_label",
      "mismatched_write",
      "head_mismatch",
      "bundle_mismatch",
      "write_conflict",
      "generation_mismatch",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

const remove = createRoute({
  ...byKey("write", noQuery, withRegistry),
  method: "delete",
  path: "/v1/profiles/{task}/{profile}",
  operationId: "deleteProfile",
  tags: ["Registry"],
  summary: "Delete a profile and its history",
  request: { params: profileParams, headers: Preconditions },
  responses: {
    200: jsonAnswer("The profile is deleted.", Deleted),
    ...registryProblems("unknown_task", "unknown_profile", "generation_mismatch"),
  },
});

/** `/v1/profiles`: lists, reads, writes and deletes profiles. */
export const profileRoutes = createRouter()
  .openapi(list, async (c) => {
    const { task } = c.req.valid("param");
    const { prefix, ...page } = c.req.valid("query");
    const { profiles } = await c.get("registry")();
    const { items, next } = await profiles.list(task, page, permittedPrefix(c.get("access"), task, prefix));
    return c.json({ profiles: items.map(profileAnswer), next }, 200);
  })
  .openapi(read, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const { shards } = await c.get("registry")();
    const rows = await createShardedProfileStore(shards, null).read(task, [id], null);
    if (!rows.task) throw unknownTaskError(task);
    const profile = rows.profiles.get(id);
    if (!profile) throw unknownProfileError(task, id);
    return c.json(await profileDetails(profile, rows.task), 200, { etag: etagOf(profile.generation) });
  })
  .openapi(write, async (c) => {
    const { task: name, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), name, id);
    const { task: bodyTask = name, profile: bodyProfile = id, headHash, ...body } = c.req.valid("json");
    if (bodyTask !== name || bodyProfile !== id) {
      throw new RequestError(
        "mismatched_write",
        `This is profile "${bodyProfile}" of task "${bodyTask}", and the path says "${id}" of "${name}".`,
        "Send a profile to the path of its own name, or leave the names out of the body.",
      );
    }
    const { tasks, profiles } = await c.get("registry")();
    const bundle = await bundleOf(c.env.platform, c.executionCtx);
    const task = await tasks.get(name);
    checkTask(task, bundle);
    const profileTask = await profileTaskOf(task);
    const parts = checkSubmitted(() => {
      const sent = partsOf(body, task);
      return checkProfileFields({ task: name, profile: id, headHash, ...sent }, profileTask, bundle);
    });
    const precondition = preconditionOf(c.req.valid("header"));
    const written = await profiles.put({ task: name, id }, parts, task.generation, precondition);
    return c.json({ task: name, profile: id, ...written }, 200, { etag: etagOf(written.generation) });
  })
  .openapi(remove, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const { profiles } = await c.get("registry")();
    const generation = await profiles.delete({ task, id }, preconditionOf(c.req.valid("header")));
    return c.json({ generation }, 200);
  });
