import { createMiddleware } from "hono/factory";
import type { AppEnv, Registry } from "../http/env.ts";
import { problemResponses } from "../http/problem.ts";
import type { ProblemCode } from "../http/problem-codes.ts";
import { openRegistry, SHARD_PROBLEMS } from "../service/databases.ts";
import { ACCESS_PROBLEMS } from "./access.ts";

/** Gives the route its registry. It opens on first use, so a request that its schema rejects asks no database. */
export const withRegistry = createMiddleware<AppEnv>(async (c, next) => {
  let opened: Promise<Registry> | undefined;
  c.set("registry", () => {
    opened ??= openRegistry(c);
    return opened;
  });
  await next();
});

/** Declares the problems of a route that opens the registry, with those of its own. */
export const registryProblems = (...codes: ProblemCode[]) =>
  problemResponses(...ACCESS_PROBLEMS, ...SHARD_PROBLEMS, ...codes);
