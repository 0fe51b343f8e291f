import { createRoute, z } from "@hono/zod-openapi";
import { requireWholeTask } from "../../src/auth/access.ts";
import { taskFileFields } from "../../src/profiles/file-format.ts";
import { learnTaskRow } from "../../src/serving/learn-task.ts";
import { bookmarkNow } from "../http/bookmarks.ts";
import { jsonRequest } from "../http/json.ts";
import { ProblemSchema } from "../http/problem.ts";
import { createRouter } from "../http/router.ts";
import { Preconditions, preconditionOf, TaskName } from "../http/row-schemas.ts";
import { answerEvents, EVENT_STREAM } from "../http/server-sent-events.ts";
import { byKey } from "../middleware/access.ts";
import { detachSessions } from "../middleware/bookmark.ts";
import { BODY_PROBLEMS, examplesBody } from "../middleware/json-body.ts";
import { limitLearning } from "../middleware/rate-limit.ts";
import { registryProblems, withRegistry } from "../middleware/registry.ts";
import { ENGINE_PROBLEMS, isolateService } from "../platform/isolate.ts";
import { LEARN_SECONDS } from "../platform/settings.ts";
import { LearnTaskBody, LearnTaskEvent, LearnTaskQuery } from "./learn-task-schemas.ts";

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
  const { shards } = await c.get("registry")();
  // The headers are sent before anything is written, so a bookmark in them would be too old.
  const sessions = detachSessions(c);
  const { engine } = await isolateService(c.env, c.executionCtx);
  c.set("texts", examples.length);
  return await answerEvents(c, async (send, signal) => {
    const startMs = Date.now();
    const hooks = {
      signal,
      budgetSeconds: LEARN_SECONDS,
      onProgress: async (progress: object) => {
        await c.get("stillAllowed")();
        await send("progress", progress);
      },
    };
    const { task, texts, heldOut, abstention, ...written } = await learnTaskRow({ engine, shards }, request, hooks);
    await send("learnt", {
      task: name,
      ...written,
      file: taskFileFields(task),
      texts,
      heldOut,
      abstain: abstention,
      seconds: (Date.now() - startMs) / 1000,
      bookmark: sessions ? bookmarkNow(sessions) : null,
    });
  });
});
