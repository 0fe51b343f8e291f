import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ErrorCode } from "../src/errors.ts";
import type { AppEnv } from "./env.ts";

/** What can be wrong with a request before it reaches the engine. */
export type RequestErrorCode =
  | "invalid_request"
  | "invalid_json"
  | "invalid_unicode"
  | "unsupported_media_type"
  | "payload_too_large"
  | "not_found"
  | "method_not_allowed";

/** Every `code` that an answer can carry. */
export type ProblemCode = ErrorCode | RequestErrorCode | "internal_error";

/** A request that cannot be answered as it is. */
export class RequestError extends Error {
  readonly code: RequestErrorCode;
  readonly hint: string;

  constructor(code: RequestErrorCode, message: string, hint: string) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.hint = hint;
  }
}

const KINDS: Record<ProblemCode, { status: ContentfulStatusCode; title: string }> = {
  invalid_request: { status: 422, title: "The request does not fit the schema" },
  invalid_json: { status: 400, title: "The body is not JSON" },
  invalid_unicode: { status: 400, title: "The body is not valid UTF-8" },
  unsupported_media_type: { status: 415, title: "The body is not of a type that is read here" },
  payload_too_large: { status: 413, title: "The body is too large" },
  not_found: { status: 404, title: "No such route" },
  method_not_allowed: { status: 405, title: "The route does not take this method" },
  empty_text: { status: 422, title: "A text has nothing in it" },
  unknown_task: { status: 404, title: "No such task" },
  unknown_profile: { status: 404, title: "No such profile" },
  bundle_mismatch: { status: 409, title: "The task belongs to another bundle" },
  mismatched_write: { status: 409, title: "What was written does not fit together" },
  write_conflict: { status: 409, title: "Two writes met" },
  invalid_mask: { status: 500, title: "Stored masks are damaged" },
  invalid_label_bias: { status: 500, title: "A stored label bias is damaged" },
  invalid_row: { status: 500, title: "A stored row is damaged" },
  invalid_manifest: { status: 503, title: "The bundle's manifest is damaged" },
  bundle_file_missing: { status: 503, title: "A file of the bundle is missing" },
  bundle_file_corrupt: { status: 503, title: "A file of the bundle is damaged" },
  bundle_unusable: { status: 503, title: "The bundle cannot be run" },
  invalid_setting: { status: 503, title: "The service is set up wrongly" },
  database_unavailable: { status: 503, title: "The database cannot be reached" },
  internal_error: { status: 500, title: "Something unexpected went wrong" },
};

/** RFC 9457 problem details, as every error answer is. */
export const ProblemSchema = z
  .object({
    type: z.string().openapi({ description: "The code as a URN.", example: "urn:xpeft:problem:unknown_profile" }),
    title: z.string().openapi({ example: "No such profile" }),
    status: z.int().openapi({ example: 404 }),
    detail: z.string().openapi({ example: 'Task "news" has no profile "news-999".' }),
    code: z
      .enum(Object.keys(KINDS) as [ProblemCode, ...ProblemCode[]])
      .openapi({ description: "Stable: a code is never renamed or reused.", example: "unknown_profile" }),
    hint: z.string().openapi({ description: "What can be done about it." }),
    instance: z
      .string()
      .openapi({ description: "The request's id as a URN; the id is in the x-request-id header too." }),
  })
  .openapi("Problem");

/** The HTTP status of a code. */
export function statusOf(code: ProblemCode): ContentfulStatusCode {
  return KINDS[code].status;
}

/** Answers a request with problem details. */
export function problem(c: Context<AppEnv>, error: { code: ProblemCode; message: string; hint: string }): Response {
  const { status, title } = KINDS[error.code];
  const body: z.infer<typeof ProblemSchema> = {
    type: `urn:xpeft:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    hint: error.hint,
    instance: `urn:xpeft:request:${c.get("requestId")}`,
  };
  return c.body(JSON.stringify(body), status, { "content-type": "application/problem+json" });
}

/** The OpenAPI entries of the problems that a route answers with. */
export function problemResponses(...codes: ProblemCode[]) {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(statusOf(code), [...(byStatus.get(statusOf(code)) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      { description: names.join(", "), content: { "application/problem+json": { schema: ProblemSchema } } },
    ]),
  );
}
