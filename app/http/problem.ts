import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { XpeftError } from "../../src/errors.ts";
import type { AppEnv } from "./env.ts";
import { hintFor, routeKindOf } from "./hints.ts";
import { type Fault, PROBLEM_CODES, PROBLEM_KINDS, type ProblemCode, statusOf } from "./problem-codes.ts";

/** RFC 9457 problem details: the body of every error answer. */
export const ProblemSchema = z
  .object({
    type: z.string().openapi({ description: "The code as a URN.", example: "urn:xpeft:problem:unknown_profile" }),
    title: z.string().openapi({ example: "No such profile" }),
    status: z.int().openapi({ example: 404 }),
    detail: z.string().openapi({ example: 'Task "news" has no profile "news-999".' }),
    code: z
      .enum(PROBLEM_CODES)
      .openapi({ description: "Stable: a code is never renamed or reused.", example: "unknown_profile" }),
    hint: z.string().openapi({ description: "What you can do about it." }),
    instance: z.string().openapi({ description: "The request's id as a URN; the header x-request-id has the id too." }),
    generation: z.int().min(0).optional().openapi({
      description:
        "With generation_mismatch: the row's generation. With shards_out_of_step: the task's generation in the first database. 0 if there is no such row.",
    }),
    retryAfterSeconds: z.int().min(1).optional().openapi({
      description: "With overloaded and learning_busy: the seconds to wait, as in the header Retry-After.",
    }),
    error: z.string().openapi({ description: "The same as detail, for clients of Hugging Face's API." }),
    error_type: z
      .enum(["Validation", "Empty", "Overloaded", "Backend", "Unhealthy"])
      .openapi({ description: "The kind of error, for clients of text-embeddings-inference." }),
  })
  .openapi("Problem");

/** Returns the kind of an error in text-embeddings-inference. */
function errorType(code: ProblemCode, status: number): z.infer<typeof ProblemSchema>["error_type"] {
  if (code === "empty_text") return "Empty";
  if (status === 429 || code === "overloaded") return "Overloaded";
  if (status === 503) return "Unhealthy";
  return status >= 500 ? "Backend" : "Validation";
}

/** Returns the problem details of a fault. */
export function problemOf(c: Context<AppEnv>, error: Fault): z.infer<typeof ProblemSchema> {
  const { status, title } = PROBLEM_KINDS[error.code];
  const { hint, facts } =
    error instanceof XpeftError
      ? { hint: hintFor(error, routeKindOf(c), c.env.platform.hints), facts: error.facts }
      : { hint: error.hint, facts: {} };
  return {
    type: `urn:xpeft:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    hint,
    instance: `urn:xpeft:request:${c.get("requestId")}`,
    ...facts,
    error: error.message,
    error_type: errorType(error.code, status),
  };
}

/** The period of the rate limits in wrangler.toml. */
const RATE_PERIOD_SECONDS = 60;

/** Returns an answer with problem details. */
export function problem(c: Context<AppEnv>, error: Fault): Response {
  const status = statusOf(error.code);
  c.set("problem", error.code);
  const body = problemOf(c, error);
  const retryAfter = status === 429 ? RATE_PERIOD_SECONDS : body.retryAfterSeconds;
  return c.body(JSON.stringify(body), status, {
    "content-type": "application/problem+json",
    ...(status === 401 && { "www-authenticate": "Bearer" }),
    ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
  });
}

/** Returns the OpenAPI entries of a route's problems; every route can have an internal error. */
export function problemResponses(...codes: ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...codes, "internal_error" as const])
    byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: [...new Set(names)].join(", "),
        content: { "application/problem+json": { schema: ProblemSchema } },
      },
    ]),
  );
}
