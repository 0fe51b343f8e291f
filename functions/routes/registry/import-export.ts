import { createRoute, z } from "@hono/zod-openapi";
import { permittedPrefix, requireProfile, requireTask } from "../../../src/auth/access.ts";
import { readLineGroups } from "../../../src/lib/ndjson.ts";
import { checkTask } from "../../../src/profiles/task.ts";
import { importProfiles } from "../../../src/sharding/import.ts";
import { createShardedProfileRegistry } from "../../../src/sharding/profiles.ts";
import { createShardedTaskRegistry } from "../../../src/sharding/tasks.ts";
import { exportProfiles } from "../../../src/storage/export.ts";
import type { LineResult } from "../../../src/storage/import.ts";
import { generationMismatchError, meetsPrecondition } from "../../../src/storage/precondition.ts";
import { bookmarkNow } from "../../http/bookmarks.ts";
import { bodyStream, NDJSON, streamAnswer } from "../../http/ndjson.ts";
import { ProblemSchema, problemOf, problemResponses } from "../../http/problem.ts";
import { BY_KEY, createRouter } from "../../http/router.ts";
import { Base64, IfMatch, ProfileId, ProfilePrefix, preconditionOf, TaskName } from "../../http/row-schemas.ts";
import { ACCESS_PROBLEMS, requireAccess, whileAllowed } from "../../middleware/access.ts";
import { detachSessions } from "../../middleware/bookmark.ts";
import { requireNdjson, reserveStreamBytes } from "../../middleware/ndjson-body.ts";
import { openRegistry, SHARD_PROBLEMS } from "../../platform/databases.ts";
import { BUNDLE_PROBLEMS, isolateBundle } from "../../platform/isolate.ts";
import { submittedFault } from "./submitted.ts";

/** Longest line of an import: masks of the largest pool. */
export const MAX_IMPORT_LINE_BYTES = 512 * 1024;

/** Lines written in one transaction. D1 takes 1,000 queries of a request, and a transaction here is three. */
const IMPORT_GROUP = 500;

/** Bytes after which a transaction has enough: its one parameter may have 2 MB, and holds half as much again. */
const IMPORT_GROUP_BYTES = 600 * 1024;

const params = z.object({ task: TaskName });

/** A line of profiles.ndjson. */
const ProfileLine = z
  .object({
    task: TaskName,
    profile: ProfileId,
    masks: Base64("The profile's mask blob."),
    labelBias: Base64("The profile's label bias.").optional(),
  })
  .openapi("ProfileLine");

const ImportedLine = ProfileLine.extend({
  generation: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional().openapi({
    description: "The generation that the profile must be at; 0 if it must not be there.",
  }),
}).openapi("ImportedLine", { description: "A line of the body; each line is one such object." });

/** A line of an import's answer. */
export const ImportLine = z
  .union([
    z.object({
      line: z.int(),
      profile: ProfileId,
      status: z.enum(["created", "replaced", "unchanged"]),
      generation: z.int(),
    }),
    z.object({ line: z.int(), profile: ProfileId.nullable(), status: z.literal("failed"), error: ProblemSchema }),
    z.object({
      done: z.literal(true),
      dryRun: z.boolean().openapi({ description: "Whether nothing was written." }),
      created: z.int(),
      replaced: z.int(),
      unchanged: z.int(),
      failed: z.int(),
      bookmark: z
        .string()
        .nullable()
        .openapi({ description: "To be sent as x-d1-bookmark, to read what was written." }),
    }),
    z.object({ error: ProblemSchema }),
  ])
  .openapi("ImportLine");

const importRoute = createRoute({
  method: "post",
  path: "/v1/tasks/{task}/import",
  operationId: "importProfiles",
  tags: ["Registry"],
  summary: "Write many profiles, one a line",
  description:
    "Lines as profiles.ndjson has them, each with an optional generation that its profile must be at (0: not there). They are written in groups as they arrive, each group one transaction; an import that was broken off can be sent again whole, as a profile that already is as its line says is left alone. The answer has a line for each line, then one with the sums: without that one it was broken off.",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [
    requireAccess("write"),
    requireNdjson,
    reserveStreamBytes(MAX_IMPORT_LINE_BYTES + IMPORT_GROUP_BYTES),
  ] as const,
  request: {
    params,
    query: z.strictObject({
      dryRun: z.enum(["true", "false"]).default("false").openapi({ description: "Whether nothing is to be written." }),
    }),
    headers: z.object({ "if-match": IfMatch }).openapi({
      description: "The generation that the task must be at: that whose head the profiles were learnt with.",
    }),
    body: {
      required: true,
      content: { [NDJSON]: { schema: ImportedLine } },
    },
  },
  responses: {
    200: { description: "What became of each line.", content: { [NDJSON]: { schema: ImportLine } } },
    ...problemResponses(
      ...ACCESS_PROBLEMS,
      ...SHARD_PROBLEMS,
      "unsupported_media_type",
      "overloaded",
      "unknown_task",
      "generation_mismatch",
      "bundle_mismatch",
      ...BUNDLE_PROBLEMS,
    ),
  },
});

/** Most profiles of a part of an export: D1 takes 1,000 queries of one request, and 500 profiles are two. */
const MAX_EXPORT = 100_000;

const exportRoute = createRoute({
  method: "get",
  path: "/v1/tasks/{task}/export",
  operationId: "exportProfiles",
  tags: ["Registry"],
  summary: "Read all profiles of a task that the caller reaches, by id, as an import takes them",
  "x-scope": "write",
  security: BY_KEY,
  middleware: [requireAccess("write")] as const,
  request: {
    params,
    query: z.strictObject({
      prefix: ProfilePrefix,
      after: z.string().max(128).default("").openapi({ description: "The id of the last profile of the part before." }),
      limit: z.coerce.number().int().min(1).max(MAX_EXPORT).optional().openapi({
        description:
          "Most profiles of this part; all of them unless it is said, for which the platform may allow too few queries.",
      }),
    }),
  },
  responses: {
    200: {
      description: "A profile a line. If the stream ends in an error line, it was broken off.",
      content: { [NDJSON]: { schema: z.union([ProfileLine, z.object({ error: ProblemSchema })]) } },
    },
    ...problemResponses(...ACCESS_PROBLEMS, ...SHARD_PROBLEMS, "unknown_task"),
  },
});

/** `/v1/tasks/{task}/import` and `/export`: profiles by the ten thousand. */
export const importExportRoutes = createRouter()
  .openapi(importRoute, async (c) => {
    const { task: name } = c.req.valid("param");
    const access = c.get("access");
    requireTask(access, name);
    const shards = await openRegistry(c);
    // The headers go out before anything is written: a bookmark there would be one from before.
    const sessions = detachSessions(c);
    const bundle = await isolateBundle(c.env, c.executionCtx);
    const task = await createShardedTaskRegistry(shards).get(name);
    checkTask(task, bundle);
    const expected = preconditionOf(c.req.valid("header"));
    if (!meetsPrecondition(expected, task.generation))
      throw generationMismatchError(`Task "${name}"`, expected, task.generation);
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
      const sums = { created: 0, replaced: 0, unchanged: 0, failed: 0 };
      const written = (result: LineResult) => {
        sums[result.status]++;
        return result.status === "failed" ? { ...result, error: problemOf(c, submittedFault(result.error)) } : result;
      };
      for await (const group of results) {
        yield group.map((result) => `${JSON.stringify(written(result))}\n`).join("");
      }
      yield `${JSON.stringify({ done: true, dryRun, ...sums, bookmark: sessions ? bookmarkNow(sessions) : null })}\n`;
    }
    return streamAnswer(c, answer());
  })
  .openapi(exportRoute, async (c) => {
    const { task } = c.req.valid("param");
    const { prefix, after, limit } = c.req.valid("query");
    const query = { prefix: permittedPrefix(c.get("access"), task, prefix), after, most: limit };
    const pages = exportProfiles(createShardedProfileRegistry(await openRegistry(c)), task, query);
    // The first page is read before the answer begins, so that an unknown task is a problem and not a broken stream.
    const first = await pages.next();
    async function* answer(): AsyncGenerator<string> {
      if (!first.done) yield first.value;
      yield* pages;
    }
    return streamAnswer(c, answer());
  });
