import { createRoute, z } from "@hono/zod-openapi";
import { permittedPrefix } from "../../../src/auth/access.ts";
import { exportProfiles } from "../../../src/storage/export.ts";
import { streamAnswer } from "../../http/ndjson.ts";
import { ProblemSchema } from "../../http/problem.ts";
import { createRouter } from "../../http/router.ts";
import { ProfilePrefix, TaskName } from "../../http/row-schemas.ts";
import { byKey } from "../../middleware/access.ts";
import { registryProblems, withRegistry } from "../../middleware/registry.ts";
import { ndjsonContent, ProfileLine } from "./profile-lines.ts";

/** Most profiles of one export: D1 allows 1,000 queries a request, and 500 profiles take two. */
const MAX_EXPORT = 100_000;

const route = createRoute({
  ...byKey("write", withRegistry),
  method: "get",
  path: "/v1/tasks/{task}/export",
  operationId: "exportProfiles",
  tags: ["Registry"],
  summary: "Read all profiles of a task that the key may access, by id, as an import accepts them",
  request: {
    params: z.object({ task: TaskName }),
    query: z.strictObject({
      prefix: ProfilePrefix,
      after: z.string().max(128).default("").openapi({ description: "The last profile id of the part before." }),
      limit: z.coerce.number().int().min(1).max(MAX_EXPORT).optional().openapi({
        description:
          "Most profiles of this part. Without it, all profiles are read, and the platform's limit on queries may end the answer early.",
      }),
    }),
  },
  responses: {
    200: {
      description: "One profile a line. If the last line is an error, the export was interrupted.",
      content: ndjsonContent(z.union([ProfileLine, z.object({ error: ProblemSchema })])),
    },
    ...registryProblems("unknown_task", "invalid_row"),
  },
});

/** `GET /v1/tasks/{task}/export`: streams a task's profiles. */
export const exportRoutes = createRouter().openapi(route, async (c) => {
  const { task } = c.req.valid("param");
  const { prefix, after, limit } = c.req.valid("query");
  const query = { prefix: permittedPrefix(c.get("access"), task, prefix), after, limit };
  const pages = exportProfiles(await c.get("registry")(), task, query);
  // The first page is read before the answer begins, so that an unknown task is a problem and not a broken stream.
  const first = await pages.next();
  async function* answer(): AsyncGenerator<string> {
    if (!first.done) yield first.value;
    yield* pages;
  }
  return streamAnswer(c, answer());
});
