import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ErrorCode, XpeftError } from "../../src/errors.ts";

/** Codes of requests that are rejected before they reach the engine. */
export type RequestErrorCode =
  | "invalid_request"
  | "invalid_json"
  | "invalid_unicode"
  | "unsupported_media_type"
  | "payload_too_large"
  | "body_too_slow"
  | "not_found"
  | "method_not_allowed"
  | "rate_limited";

/** Every `code` that an answer can carry. */
export type ProblemCode = ErrorCode | RequestErrorCode | "internal_error";

/** A rejected request, thrown where the route and therefore the hint are known. */
export class RequestError extends Error {
  readonly code: ProblemCode;
  readonly hint: string;

  constructor(code: ProblemCode, message: string, hint: string) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.hint = hint;
  }
}

interface ProblemKind {
  readonly status: ContentfulStatusCode;
  readonly title: string;
}

export const PROBLEM_KINDS: Record<ProblemCode, ProblemKind> = {
  invalid_request: { status: 422, title: "The request does not fit the schema" },
  invalid_json: { status: 400, title: "The body is not JSON" },
  invalid_unicode: { status: 400, title: "The body is not valid UTF-8" },
  unsupported_media_type: { status: 415, title: "The route does not accept this content type" },
  payload_too_large: { status: 413, title: "The body is too large" },
  body_too_slow: { status: 408, title: "The body arrives too slowly" },
  not_found: { status: 404, title: "No such route or file" },
  method_not_allowed: { status: 405, title: "The route does not accept this method" },
  rate_limited: { status: 429, title: "Too many requests" },
  key_missing: { status: 401, title: "The request has no key" },
  key_invalid: { status: 401, title: "No such key" },
  key_expired: { status: 401, title: "The key has expired" },
  scope_missing: { status: 403, title: "The key lacks a scope" },
  outside_confinement: { status: 403, title: "The key has no permission for this task or profile" },
  token_malformed: { status: 401, title: "Not a profile token" },
  token_too_large: { status: 413, title: "The profile token is too large" },
  token_unknown_key: { status: 401, title: "The profile token's key is unknown" },
  token_other_algorithm: { status: 401, title: "The profile token is signed with another algorithm" },
  token_forged: { status: 401, title: "The profile token's signature is wrong" },
  token_expired: { status: 401, title: "The profile token has expired" },
  token_not_yet_valid: { status: 401, title: "The profile token is not valid yet" },
  token_incomplete: { status: 401, title: "The profile token is incomplete" },
  token_other_bundle: { status: 403, title: "The profile token is for another bundle" },
  token_other_task: { status: 403, title: "The profile token is for another task" },
  token_other_profile: { status: 403, title: "The profile token is for another profile" },
  token_stale: { status: 409, title: "The task has changed since the profile token was made" },
  tokens_not_set_up: { status: 501, title: "The service accepts no profile tokens" },
  overloaded: { status: 503, title: "The service is at capacity" },
  empty_text: { status: 422, title: "A text has no tokens" },
  text_too_long: { status: 422, title: "A text is longer than the task reads" },
  unknown_label: { status: 422, title: "The task has no such label" },
  one_label: { status: 422, title: "All examples have the same label" },
  too_few_examples: { status: 422, title: "Too few examples" },
  too_many_examples: { status: 422, title: "Too many examples" },
  learning_busy: { status: 503, title: "Another profile or task is being learnt" },
  learning_too_long: { status: 422, title: "Learning takes too long" },
  unknown_task: { status: 404, title: "No such task" },
  unknown_profile: { status: 404, title: "No such profile" },
  unknown_generation: { status: 404, title: "No such generation" },
  generation_mismatch: { status: 412, title: "The row is not at the expected generation" },
  task_has_profiles: { status: 409, title: "The task has profiles" },
  bundle_mismatch: { status: 409, title: "Another bundle is deployed" },
  head_mismatch: { status: 409, title: "The profile was trained with another head" },
  mismatched_write: { status: 409, title: "The written row does not fit" },
  write_conflict: { status: 409, title: "Another write came first" },
  invalid_mask: { status: 500, title: "Stored masks are damaged" },
  invalid_label_bias: { status: 500, title: "A stored label bias is damaged" },
  invalid_row: { status: 500, title: "A stored row is damaged" },
  invalid_manifest: { status: 503, title: "The bundle's manifest is damaged" },
  bundle_file_missing: { status: 503, title: "A file of the bundle is missing" },
  bundle_file_corrupt: { status: 503, title: "A file of the bundle is damaged" },
  bundle_unusable: { status: 503, title: "The bundle cannot be run" },
  bundle_without_tail: { status: 501, title: "The bundle reads a text once for each profile" },
  invalid_setting: { status: 503, title: "A setting is invalid" },
  database_unavailable: { status: 503, title: "The database is unavailable" },
  shard_map_mismatch: { status: 503, title: "The databases are bound in the wrong places" },
  shards_out_of_step: { status: 503, title: "The databases are out of step" },
  internal_error: { status: 500, title: "Unexpected error" },
};

/** Every code that an answer can carry. */
export const PROBLEM_CODES = Object.keys(PROBLEM_KINDS) as ProblemCode[];

/** Returns the HTTP status of a code. */
export function statusOf(code: ProblemCode): ContentfulStatusCode {
  return PROBLEM_KINDS[code].status;
}

/** What problem details are made of. An {@link XpeftError} gets its hint from hints.ts. */
export type Fault = XpeftError | { readonly code: ProblemCode; readonly message: string; readonly hint: string };
