import { createRoute, z } from "@hono/zod-openapi";
import { requireProfile } from "../../../src/auth/access.ts";
import { jsonAnswer, jsonRequest, rowAnswer } from "../../http/json.ts";
import { createRouter } from "../../http/router.ts";
import {
  etagOf,
  LastWrite,
  Preconditions,
  ProfileId,
  preconditionOf,
  profileParams,
  TaskName,
} from "../../http/row-schemas.ts";
import { byKey } from "../../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_PROFILE_BYTES } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { registryProblems, withRegistry } from "../../middleware/registry.ts";
import { Profile, profileAnswer } from "./profile-schemas.ts";

const History = z
  .object({ current: Profile, earlier: z.array(Profile).openapi({ description: "Newest first; five at most." }) })
  .openapi("History");

const RollBack = z
  .strictObject({
    generation: z
      .int()
      .min(1)
      .max(Number.MAX_SAFE_INTEGER)
      .openapi({ description: "The generation to restore.", example: 2 }),
  })
  .openapi("RollBack");

const RolledBack = z
  .object({ task: TaskName, profile: ProfileId, generation: LastWrite.generation })
  .openapi("RolledBack");

const read = createRoute({
  ...byKey("write", noQuery, withRegistry),
  method: "get",
  path: "/v1/profiles/{task}/{profile}/history",
  operationId: "readHistory",
  tags: ["Registry"],
  summary: "Show a profile's last generations",
  request: { params: profileParams },
  responses: {
    200: jsonAnswer("The generations that can be restored.", History),
    ...registryProblems("unknown_task", "unknown_profile"),
  },
});

const rollBack = createRoute({
  ...byKey("write", noQuery, jsonBody(MAX_PROFILE_BYTES, "A generation is a number."), withRegistry),
  method: "post",
  path: "/v1/profiles/{task}/{profile}/rollback",
  operationId: "rollBackProfile",
  tags: ["Registry"],
  summary: "Restore an earlier generation of a profile",
  request: { params: profileParams, headers: Preconditions, body: jsonRequest(RollBack) },
  responses: {
    200: rowAnswer("The earlier masks and label bias are written as a new generation.", RolledBack),
    ...registryProblems(
      ...BODY_PROBLEMS,
      "unknown_task",
      "unknown_profile",
      "unknown_generation",
      "generation_mismatch",
    ),
  },
});

/** `/v1/profiles/{task}/{profile}/history` and `/rollback`: shows a profile's earlier generations and restores one. */
export const historyRoutes = createRouter()
  .openapi(read, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const { history } = await c.get("registry")();
    const { current, earlier } = await history.read({ task, id });
    return c.json({ current: profileAnswer(current), earlier: earlier.map(profileAnswer) }, 200);
  })
  .openapi(rollBack, async (c) => {
    const { task, profile: id } = c.req.valid("param");
    requireProfile(c.get("access"), task, id);
    const { history } = await c.get("registry")();
    const { generation: target } = c.req.valid("json");
    const generation = await history.rollBack({ task, id }, target, preconditionOf(c.req.valid("header")));
    return c.json({ task, profile: id, generation }, 200, { etag: etagOf(generation) });
  });
