import { createRoute, z } from "@hono/zod-openapi";
import { requireTask, requireWholeTask } from "../../../src/auth/access.ts";
import { checkTaskFields, taskFileFields, taskSchema } from "../../../src/profiles/file-format.ts";
import { jsonAnswer, jsonRequest, rowAnswer } from "../../http/json.ts";
import { RequestError } from "../../http/problem-codes.ts";
import { createRouter } from "../../http/router.ts";
import { Deleted, etagOf, PageParams, Preconditions, preconditionOf, TaskName } from "../../http/row-schemas.ts";
import { byKey } from "../../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_TASK_BYTES } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { registryProblems, withRegistry } from "../../middleware/registry.ts";
import { BUNDLE_PROBLEMS, bundleOf } from "../../service/service.ts";
import { checkSubmitted } from "./submitted.ts";
import { ExistingProfilesQuery, TaskFile, TaskPage, TaskWritten } from "./task-schemas.ts";

const params = z.object({ task: TaskName });

const list = createRoute({
  ...byKey("predict", withRegistry),
  method: "get",
  path: "/v1/tasks",
  operationId: "listTasks",
  tags: ["Registry"],
  summary: "List the tasks that the key may access, by name",
  request: { query: PageParams },
  responses: { 200: jsonAnswer("Tasks, by name.", TaskPage), ...registryProblems() },
});

const read = createRoute({
  ...byKey("write", noQuery, withRegistry),
  method: "get",
  path: "/v1/tasks/{task}",
  operationId: "readTask",
  tags: ["Registry"],
  summary: "Show a task as a task.json",
  request: { params },
  responses: { 200: rowAnswer("The task, as PUT accepts it.", TaskFile), ...registryProblems("unknown_task") },
});

const write = createRoute({
  ...byKey("admin", jsonBody(MAX_TASK_BYTES, "Train the task with fewer labels."), withRegistry),
  method: "put",
  path: "/v1/tasks/{task}",
  operationId: "writeTask",
  tags: ["Registry"],
  summary: "Create or replace a task",
  description:
    "A write keeps the task's profiles. A new head, another adapter, new labels or another bundle are rejected while the task has any.",
  request: { params, query: ExistingProfilesQuery, headers: Preconditions, body: jsonRequest(TaskFile) },
  responses: {
    200: rowAnswer("The task is written.", TaskWritten),
    ...registryProblems(
      ...BODY_PROBLEMS,
      "mismatched_write",
      "task_has_profiles",
      "generation_mismatch",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

const remove = createRoute({
  ...byKey("admin", withRegistry),
  method: "delete",
  path: "/v1/tasks/{task}",
  operationId: "deleteTask",
  tags: ["Registry"],
  summary: "Delete a task",
  request: { params, query: ExistingProfilesQuery, headers: Preconditions },
  responses: {
    200: jsonAnswer("The task is deleted.", Deleted),
    ...registryProblems("unknown_task", "task_has_profiles", "generation_mismatch"),
  },
});

/** `/v1/tasks`: lists, reads, writes and deletes tasks. */
export const taskRoutes = createRouter()
  .openapi(list, async (c) => {
    const registry = await c.get("registry")();
    const { items, next } = await registry.tasks.list(c.req.valid("query"), c.get("access").task);
    const tasks = items.map(({ name, updatedAt, labels, ...rest }) => ({
      task: name,
      ...rest,
      labels: [...labels],
      updatedAt: updatedAt.toISOString(),
    }));
    return c.json({ tasks, next }, 200);
  })
  .openapi(read, async (c) => {
    const { task: name } = c.req.valid("param");
    requireTask(c.get("access"), name);
    const { tasks } = await c.get("registry")();
    const task = await tasks.get(name);
    return c.json(taskFileFields(task), 200, { etag: etagOf(task.generation) });
  })
  .openapi(write, async (c) => {
    const { task: name } = c.req.valid("param");
    requireWholeTask(c.get("access"), name);
    const body = c.req.valid("json");
    if (body.task !== name) {
      throw new RequestError(
        "mismatched_write",
        `This is task "${body.task}", and the path says "${name}".`,
        "Send a task to the path of its own name.",
      );
    }
    const bundle = await bundleOf(c.env.platform, c.executionCtx);
    const task = checkSubmitted(() => checkTaskFields(taskSchema.parse(body), bundle));
    const { tasks } = await c.get("registry")();
    const { profiles } = c.req.valid("query");
    const written = await tasks.put(task, preconditionOf(c.req.valid("header")), profiles);
    return c.json({ task: name, ...written }, 200, { etag: etagOf(written.generation) });
  })
  .openapi(remove, async (c) => {
    const { task } = c.req.valid("param");
    requireWholeTask(c.get("access"), task);
    const { tasks } = await c.get("registry")();
    const { profiles } = c.req.valid("query");
    const generation = await tasks.delete(task, preconditionOf(c.req.valid("header")), profiles);
    return c.json({ generation }, 200);
  });
