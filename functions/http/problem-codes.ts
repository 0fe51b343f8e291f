import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ErrorCode, XpeftError } from "../../src/errors.ts";

/** What can be wrong with a request before it reaches the engine. */
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

/** A request that cannot be answered as it is; whoever throws it knows the hint. */
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
  unsupported_media_type: { status: 415, title: "The body is not of a type that is read here" },
  payload_too_large: { status: 413, title: "The body is too large" },
  body_too_slow: { status: 408, title: "The body takes too long to come" },
  not_found: { status: 404, title: "No such route" },
  method_not_allowed: { status: 405, title: "The route does not take this method" },
  rate_limited: { status: 429, title: "Too many requests" },
  key_missing: { status: 401, title: "No key was sent" },
  key_invalid: { status: 401, title: "No such key" },
  key_expired: { status: 401, title: "The key has expired" },
  scope_missing: { status: 403, title: "The key does not allow this" },
  outside_confinement: { status: 403, title: "The key does not reach this" },
  token_malformed: { status: 401, title: "This is no profile token" },
  token_too_large: { status: 413, title: "The profile token is too large" },
  token_unknown_key: { status: 401, title: "The profile token's key is not known" },
  token_other_algorithm: { status: 401, title: "The profile token is signed by another algorithm" },
  token_forged: { status: 401, title: "The profile token's signature is wrong" },
  token_expired: { status: 401, title: "The profile token has expired" },
  token_not_yet_valid: { status: 401, title: "The profile token is not valid yet" },
  token_incomplete: { status: 401, title: "The profile token lacks something" },
  token_other_bundle: { status: 403, title: "The profile token is for another bundle" },
  token_other_task: { status: 403, title: "The profile token is for another task" },
  token_other_profile: { status: 403, title: "The profile token is of another profile" },
  token_stale: { status: 409, title: "The task has changed since the profile token was made" },
  tokens_not_set_up: { status: 501, title: "The service takes no profile tokens" },
  overloaded: { status: 503, title: "The service has too much to do" },
  empty_text: { status: 422, title: "A text has nothing in it" },
  text_too_long: { status: 422, title: "A text is longer than the task reads" },
  unknown_label: { status: 422, title: "The task has no such label" },
  one_label: { status: 422, title: "All examples have the same label" },
  too_few_examples: { status: 422, title: "There are too few examples to learn from" },
  too_many_examples: { status: 422, title: "There are too many examples to learn from" },
  learning_busy: { status: 503, title: "Another profile is being learnt" },
  learning_too_long: { status: 422, title: "The learning takes too long" },
  unknown_task: { status: 404, title: "No such task" },
  unknown_profile: { status: 404, title: "No such profile" },
  unknown_generation: { status: 404, title: "No such generation" },
  generation_mismatch: { status: 412, title: "The row is not at the expected generation" },
  task_has_profiles: { status: 409, title: "The task has profiles" },
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
  shard_map_mismatch: { status: 503, title: "A database is bound in another's place" },
  shards_out_of_step: { status: 503, title: "A write of the task has not reached every database" },
  internal_error: { status: 500, title: "Something unexpected went wrong" },
};

/** Every code that an answer can carry. */
export const PROBLEM_CODES = Object.keys(PROBLEM_KINDS) as ProblemCode[];

/** The HTTP status of a code. */
export function statusOf(code: ProblemCode): ContentfulStatusCode {
  return PROBLEM_KINDS[code].status;
}

/** What problem details are made of. An {@link XpeftError} gets its hint from hints.ts. */
export type Fault = XpeftError | { readonly code: ProblemCode; readonly message: string; readonly hint: string };
