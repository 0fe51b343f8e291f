import { createRoute, z } from "@hono/zod-openapi";
import { requireTask, requireWholeTask } from "../../../src/auth/access.ts";
import { XpeftError } from "../../../src/errors.ts";
import { checkTaskFields, labelsSchema, taskFileFields, taskSchema } from "../../../src/profiles/file-format.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { problemResponses } from "../../http/problem.ts";
import { BY_KEY, createRouter } from "../../http/router.ts";
import {
  Base64,
  BundleId,
  Deleted,
  etagOf,
  GenerationHeaders,
  LastWrite,
  NextPage,
  PageParams,
  Preconditions,
  preconditionOf,
  TaskName,
} from "../../http/row-schemas.ts";
import { ACCESS_PROBLEMS, requireAccess } from "../../middleware/access.ts";
import { BODY_PROBLEMS, jsonBody, MAX_TASK_BYTES } from "../../middleware/json-body.ts";
import { noQuery } from "../../middleware/no-query.ts";
import { openRegistry, SHARD_PROBLEMS } from "../../platform/databases.ts";
import { BUNDLE_PROBLEMS, isolateBundle } from "../../platform/isolate.ts";
import { checkSubmitted } from "./submitted.ts";

const labels = labelsSchema.openapi({ example: ["1", "2", "3"], uniqueItems: true });

const TaskSummary = z
  .object({
    task: TaskName,
    bundle: BundleId,
    labels,
    maxTokens: z.int().openapi({ description: "Texts are cut to this many tokens." }),
    ...LastWrite,
  })
  .openapi("TaskSummary");

const TaskFile = taskSchema
  .extend({
    task: TaskName,
    bundle: BundleId,
    labels,
    head: Base64("float32, little-endian: weight [labels, hidden], then bias [labels]."),
    masks: Base64("Mask blob of the task's default profile."),
  })
  .openapi("TaskFile", { description: "A task.json; docs/formats.md has it field by field." });

const TaskPage = z.object({ tasks: z.array(TaskSummary), next: NextPage }).openapi("TaskPage");

const TaskWritten = z
  .object({ task: TaskName, generation: LastWrite.generation, created: z.boolean() })
  .openapi("TaskWritten");

const Fate = z.strictObject({
  profiles: z.enum(["keep", "delete"]).default("keep").openapi({
    description: "Whether profiles stand in the way of a change that they were not trained for, or are deleted too.",
  }),
});

const params = z.object({ task: TaskName });

const list = createRoute({
  method: "get",
  path: "/v1/tasks",
  operationId: "listTasks",
  tags: ["Registry"],
  summary: "List the tasks that the caller reaches, by name",
  "x-scope": "predict",
  security: BY_KEY,
  middleware: [requireAccess("predict")] as const,
  request: { query: PageParams },
  responses: {
    200: { description: "Tasks, by name.", content: { "application/json": { schema: TaskPage } } },
    ...problemResponses(...ACCESS_PROBLEMS, ...SHARD_PROBLEMS),
  },
});

const read = createRoute({
  method: "get",
  path: "/v1/tasks/{task}",
  operationId: "readTask",
  tags: ["Registry"],
  summary: "Show a task as its task.json has it",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write"), noQuery] as const,
  request: { params },
  responses: {
    200: {
      description: "The task, as PUT takes it.",
      headers: GenerationHeaders,
      content: { "application/json": { schema: TaskFile } },
    },
    ...problemResponses(...ACCESS_PROBLEMS, ...SHARD_PROBLEMS, "unknown_task"),
  },
});

const write = createRoute({
  method: "put",
  path: "/v1/tasks/{task}",
  operationId: "writeTask",
  tags: ["Registry"],
  summary: "Create or replace a task",
  description:
    "Profiles stay as they are, so a new head, new labels or another bundle are refused while there are any.",
  "x-scope": "admin",
  security: BY_KEY,
  middleware: [requireAccess("admin"), jsonBody(MAX_TASK_BYTES, "Train the task with fewer labels.")] as const,
  request: {
    params,
    query: Fate,
    headers: Preconditions,
    body: { required: true, content: { "application/json": { schema: TaskFile } } },
  },
  responses: {
    200: {
      description: "The task is written.",
      headers: GenerationHeaders,
      content: { "application/json": { schema: TaskWritten } },
    },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      ...BODY_PROBLEMS,
      "mismatched_write",
      "task_has_profiles",
      "generation_mismatch",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

const remove = createRoute({
  method: "delete",
  path: "/v1/tasks/{task}",
  operationId: "deleteTask",
  tags: ["Registry"],
  summary: "Delete a task",
  "x-scope": "admin",
  security: BY_KEY,
  middleware: [requireAccess("admin")] as const,
  request: { params, query: Fate, headers: Preconditions },
  responses: {
    200: { description: "The task is gone.", content: { "application/json": { schema: Deleted } } },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      "unknown_task",
      "task_has_profiles",
      "generation_mismatch",
    ),
  },
});

/** `/v1/tasks`: list, read, write and delete tasks. */
export const taskRoutes = createRouter()
  .openapi(list, async (c) => {
    const { task } = c.get("access");
    const { items, next } = await createShardedTaskRegistry(await openRegistry(c)).list(c.req.valid("query"), task);
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
    const task = await createShardedTaskRegistry(await openRegistry(c)).get(name);
    return c.json(taskFileFields(task), 200, { etag: etagOf(task.generation) });
  })
  .openapi(write, async (c) => {
    const { task: name } = c.req.valid("param");
    requireWholeTask(c.get("access"), name);
    const sent = c.req.valid("json");
    if (sent.task !== name) {
      throw new XpeftError(
        "mismatched_write",
        `This is task "${sent.task}", and the path says "${name}".`,
        "Send a task to the path of its own name.",
      );
    }
    const bundle = await isolateBundle(c.env, c.executionCtx);
    const task = checkSubmitted(() => checkTaskFields(taskSchema.parse(sent), bundle));
    const { profiles } = c.req.valid("query");
    const expected = preconditionOf(c.req.valid("header"));
    const written = await createShardedTaskRegistry(await openRegistry(c)).put(task, expected, profiles);
    return c.json({ task: name, ...written }, 200, { etag: etagOf(written.generation) });
  })
  .openapi(remove, async (c) => {
    const { task } = c.req.valid("param");
    requireWholeTask(c.get("access"), task);
    const { profiles } = c.req.valid("query");
    const expected = preconditionOf(c.req.valid("header"));
    const generation = await createShardedTaskRegistry(await openRegistry(c)).delete(task, expected, profiles);
    return c.json({ generation }, 200);
  });
