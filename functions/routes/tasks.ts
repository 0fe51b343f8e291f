import { createRoute, z } from "@hono/zod-openapi";
import type { App } from "../env.ts";
import { problemResponses } from "../problem.ts";
import { TaskName, Written } from "../schemas.ts";
import { storeOf } from "../service.ts";

const TaskList = z
  .object({
    tasks: z.array(
      z.object({
        name: TaskName,
        bundle: z.string().openapi({ description: "Id of the bundle that the task was trained on." }),
        labels: z.array(z.string()).readonly(),
        maxTokens: z.int().openapi({ description: "Texts are cut to this many tokens." }),
        ...Written,
      }),
    ),
  })
  .openapi("TaskList");

const route = createRoute({
  method: "get",
  path: "/v1/tasks",
  summary: "List the tasks",
  responses: {
    200: { description: "All tasks, by name.", content: { "application/json": { schema: TaskList } } },
    ...problemResponses("invalid_row", "database_unavailable"),
  },
});

/** `GET /v1/tasks`: every task with its labels. */
export function registerTasks(app: App): void {
  app.openapi(route, async (c) => {
    const tasks = await storeOf(c.env).tasks();
    return c.json({ tasks: tasks.map((task) => ({ ...task, updatedAt: task.updatedAt.toISOString() })) }, 200);
  });
}
