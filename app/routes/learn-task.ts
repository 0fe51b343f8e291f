import { createRoute, z } from "@hono/zod-openapi";
import { requireWholeTask } from "../../src/auth/access.ts";
import { taskFileFields } from "../../src/profiles/file-format.ts";
import { learnTaskRow } from "../../src/serving/learn-task.ts";
import { jsonRequest } from "../http/json.ts";
import { ProblemSchema } from "../http/problem.ts";
import { createRouter } from "../http/router.ts";
import { Preconditions, preconditionOf, TaskName } from "../http/row-schemas.ts";
import { EVENT_STREAM } from "../http/server-sent-events.ts";
import { byKey } from "../middleware/access.ts";
import { BODY_PROBLEMS, examplesBody } from "../middleware/json-body.ts";
import { limitLearning } from "../middleware/rate-limit.ts";
import { registryProblems, withRegistry } from "../middleware/registry.ts";
import { ENGINE_PROBLEMS } from "../service/service.ts";
import { LearnTaskBody, LearnTaskEvent, LearnTaskQuery } from "./learn-task-schemas.ts";
import { answerLearning } from "./learning-events.ts";

const route = createRoute({
  ...byKey("learn-task", limitLearning, examplesBody, withRegistry),
  method: "post",
  path: "/v1/tasks/{task}/learn",
  operationId: "learnTask",
  tags: ["Learn"],
  summary: "Learn a task from labelled texts",
  description:
    "Answers with server-sent events: `progress` while it runs, then `learnt`, or `problem` if it fails. The task has a head, and no adapter and no masks. It is written at the end, unless its row has changed meanwhile. As with PUT, a task with profiles is not replaced unless the query says what happens to them. Disconnecting cancels learning; nothing is written.",
  request: {
    params: z.object({ task: TaskName }),
    query: LearnTaskQuery,
    headers: Preconditions,
    body: jsonRequest(LearnTaskBody),
  },
  responses: {
    200: {
      description: "Events.",
      content: { [EVENT_STREAM]: { schema: z.union([...LearnTaskEvent.options, ProblemSchema]) } },
    },
    ...registryProblems(
      ...BODY_PROBLEMS,
      ...ENGINE_PROBLEMS,
      "task_has_profiles",
      "generation_mismatch",
      "mismatched_write",
      "unknown_label",
      "one_label",
      "too_few_examples",
      "too_many_examples",
      "empty_text",
      "learning_busy",
      "learning_too_long",
    ),
  },
});

/** `POST /v1/tasks/{task}/learn`: learns a new task from labelled texts in the Worker. */
export const learnTaskRoutes = createRouter().openapi(route, async (c) => {
  const { task: name } = c.req.valid("param");
  const { examples, ...rest } = c.req.valid("json");
  const { profiles: existing, dryRun } = c.req.valid("query");
  requireWholeTask(c.get("access"), name);
  const request = {
    ...rest,
    name,
    existing,
    dryRun: dryRun === "true",
    examples: examples.map(({ label, ...input }) => ({ input, label })),
    expected: preconditionOf(c.req.valid("header")),
  };
  return await answerLearning(c, examples.length, async (service, hooks) => {
    const { task, texts, heldOut, abstention, ...written } = await learnTaskRow(service, request, hooks);
    return { task: name, ...written, file: taskFileFields(task), texts, heldOut, abstain: abstention };
  });
});
