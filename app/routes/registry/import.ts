import { createRoute, z } from "@hono/zod-openapi";
import { requireProfile, requireTask } from "../../../src/auth/access.ts";
import { readLineGroups } from "../../../src/lib/ndjson.ts";
import { checkTask } from "../../../src/profiles/task.ts";
import { importProfiles } from "../../../src/sharding/import.ts";
import type { LineResult } from "../../../src/storage/import.ts";
import { generationMismatchError, meetsPrecondition } from "../../../src/storage/precondition.ts";
import { bookmarkNow } from "../../http/bookmarks.ts";
import { bodyStream, streamAnswer } from "../../http/ndjson.ts";
import { problemOf } from "../../http/problem.ts";
import { createRouter } from "../../http/router.ts";
import { IfMatch, preconditionOf, TaskName } from "../../http/row-schemas.ts";
import { byKey, whileAllowed } from "../../middleware/access.ts";
import { detachSessions } from "../../middleware/bookmark.ts";
import { requireNdjson, reserveStreamBytes } from "../../middleware/ndjson-body.ts";
import { registryProblems, withRegistry } from "../../middleware/registry.ts";
import { BUNDLE_PROBLEMS, bundleOf } from "../../service/service.ts";
import { ImportedLine, ImportLine, ndjsonContent } from "./profile-lines.ts";
import { submittedFault } from "./submitted.ts";

/** Longest line of an import: masks of the largest pool. */
export const MAX_IMPORT_LINE_BYTES = 512 * 1024;

/** Lines a transaction: D1 allows 1,000 queries a request, and a transaction takes three. */
const IMPORT_GROUP = 500;

/** Bytes a transaction: its one parameter may have 2 MB and holds half as much again. */
const IMPORT_GROUP_BYTES = 600 * 1024;

const route = createRoute({
  ...byKey("write", requireNdjson, reserveStreamBytes(MAX_IMPORT_LINE_BYTES + IMPORT_GROUP_BYTES), withRegistry),
  method: "post",
  path: "/v1/tasks/{task}/import",
  operationId: "importProfiles",
  tags: ["Registry"],
  summary: "Write many profiles, one a line",
  description:
    "Each line is a line of profiles.ndjson, with an optional generation that its profile must be at (0: it must not exist). A line with a headHash fails if the task has another head. Lines are written in groups as they arrive; each group is one transaction. An interrupted import can be sent again whole: a profile that is already as its line says stays unchanged. The answer has a result for each line, then a line of counts. Without the counts the import was interrupted.",
  request: {
    params: z.object({ task: TaskName }),
    query: z.strictObject({
      dryRun: z.enum(["true", "false"]).default("false").openapi({ description: "Whether to write nothing." }),
    }),
    headers: z.object({ "if-match": IfMatch }).openapi({
      description: "The generation that the task must be at: the one whose head the profiles were trained with.",
    }),
    body: { required: true, content: ndjsonContent(ImportedLine) },
  },
  responses: {
    200: { description: "A result for each line.", content: ndjsonContent(ImportLine) },
    ...registryProblems(
      "unsupported_media_type",
      "overloaded",
      "unknown_task",
      "generation_mismatch",
      "bundle_mismatch",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

/** `POST /v1/tasks/{task}/import`: writes profiles from a stream. */
export const importRoutes = createRouter().openapi(route, async (c) => {
  const { task: name } = c.req.valid("param");
  const access = c.get("access");
  requireTask(access, name);
  const { shards, tasks } = await c.get("registry")();
  // The headers are sent before anything is written, so a bookmark in them would be too old.
  const sessions = detachSessions(c);
  const bundle = await bundleOf(c.env.platform, c.executionCtx);
  const task = await tasks.get(name);
  checkTask(task, bundle);
  const precondition = preconditionOf(c.req.valid("header"));
  if (!meetsPrecondition(precondition, task.generation)) {
    throw generationMismatchError(`Task "${name}"`, precondition, task.generation);
  }
  const dryRun = c.req.valid("query").dryRun === "true";
  const lines = readLineGroups(bodyStream(c), {
    maxBytes: MAX_IMPORT_LINE_BYTES,
    maxLines: IMPORT_GROUP,
    groupBytes: IMPORT_GROUP_BYTES,
  });
  const results = await importProfiles(shards, task, bundle, whileAllowed(c, lines), {
    dryRun,
    allow: (id) => requireProfile(access, name, id),
  });

  async function* answer(): AsyncGenerator<string> {
    const counts = { created: 0, replaced: 0, unchanged: 0, failed: 0 };
    const resultLine = (result: LineResult) => {
      counts[result.status]++;
      return result.status === "failed" ? { ...result, error: problemOf(c, submittedFault(result.error)) } : result;
    };
    for await (const group of results) {
      yield group.map((result) => `${JSON.stringify(resultLine(result))}\n`).join("");
    }
    const bookmark = sessions ? bookmarkNow(sessions) : null;
    yield `${JSON.stringify({ done: true, dryRun, ...counts, bookmark })}\n`;
  }
  return streamAnswer(c, answer());
});
