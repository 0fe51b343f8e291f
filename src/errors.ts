/** Stable names of everything that can go wrong. They are part of the API: a name is never renamed or reused. */
export type ErrorCode =
  | "unknown_task"
  | "unknown_profile"
  | "bundle_mismatch"
  | "head_mismatch"
  | "invalid_mask"
  | "invalid_label_bias"
  | "invalid_row"
  | "invalid_manifest"
  | "bundle_file_missing"
  | "bundle_file_corrupt"
  | "bundle_unusable"
  | "bundle_without_tail"
  | "database_unavailable"
  | "overloaded"
  | "shard_map_mismatch"
  | "shards_out_of_step"
  | "empty_text"
  | "text_too_long"
  | "unknown_label"
  | "one_label"
  | "too_few_examples"
  | "too_many_examples"
  | "learning_busy"
  | "learning_too_long"
  | "unknown_generation"
  | "generation_mismatch"
  | "task_has_profiles"
  | "mismatched_write"
  | "write_conflict"
  | "invalid_setting"
  | "key_missing"
  | "key_invalid"
  | "key_expired"
  | "scope_missing"
  | "outside_confinement"
  | "tokens_not_set_up"
  | "token_malformed"
  | "token_too_large"
  | "token_unknown_key"
  | "token_other_algorithm"
  | "token_forged"
  | "token_expired"
  | "token_not_yet_valid"
  | "token_other_bundle"
  | "token_other_task"
  | "token_other_profile"
  | "token_incomplete"
  | "token_stale";

/**
 * Situations that share a code and need different hints. A reason only selects the hint; it is not shown.
 *
 * A code that is missing here has one hint for all its situations.
 */
export const ERROR_REASONS = {
  /** A file's row breaks the format or repeats a profile; a stored row or key is damaged; the training went wrong. */
  invalid_row: ["format", "duplicate", "stored", "key", "training"],
  /** The profile's own row is damaged; or that of a profile that learning tried as a start. */
  invalid_mask: ["stored", "start"],
  invalid_label_bias: ["stored", "start"],
  /**
   * What does not fit: the task's bundle, length, head, adapter, size or numbers; a profile's task; a repeated profile;
   * profiles that would keep an old head.
   */
  mismatched_write: ["bundle", "length", "head", "adapter", "size", "training", "task", "duplicate", "profiles"],
  /** What failed: the tokenizer; a graph or the pool; the encoder's numbers; reading a file; a build without ONNX Runtime. */
  bundle_unusable: ["tokenizer", "files", "features", "read", "build"],
  /** A query failed, in the only database or in one of several; or no database is bound. */
  database_unavailable: ["query", "locked", "full", "damaged", "readonly", "shard", "unbound"],
  /** A database is bound in another's place; or a number is missing. */
  shard_map_mismatch: ["place", "gap"],
  invalid_setting: ["variable", "secret"],
  /** A token came with a request; or it was to be made, with the task's parts or without. */
  token_too_large: ["received", "all", "profile"],
  /** The profile was requested; or learning was to start from it. */
  unknown_profile: ["requested", "start"],
  empty_text: ["text", "example"],
  /** The task lacks the label; or the profile that learns does not know it. */
  unknown_label: ["task", "profile"],
  overloaded: ["tokens", "bodies", "fan-outs"],
  too_few_examples: ["count", "texts", "label"],
  too_many_examples: ["count", "tokens"],
  /** The scope that the key lacks. */
  scope_missing: ["predict", "list", "learn", "write", "admin", "learn-task"],
} as const satisfies { readonly [Code in ErrorCode]?: readonly string[] };

type ErrorReasons = typeof ERROR_REASONS;

/** The reasons of a code; undefined for a code without reasons. */
export type ErrorReason<Code extends ErrorCode> = Code extends keyof ErrorReasons
  ? ErrorReasons[Code][number]
  : undefined;

/** Values that a program can read beside the message. All of them are shown. */
export interface ErrorFacts {
  /** Generation of the row; 0 where there is none. */
  readonly generation?: number;
  readonly retryAfterSeconds?: number;
}

/** What an error can have beside its code and message; the reason is required for codes that have reasons. */
type ErrorOptions<Code extends ErrorCode> = {
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
} & (Code extends keyof ErrorReasons ? { readonly reason: ErrorReason<Code> } : { readonly reason?: undefined });

type ErrorArguments = {
  [Code in ErrorCode]: Code extends keyof ErrorReasons
    ? [code: Code, message: string, options: ErrorOptions<Code>]
    : [code: Code, message: string, options?: ErrorOptions<Code>];
}[ErrorCode];

/**
 * The one error that this project throws on purpose.
 *
 * `message` says what is wrong, with the value and the place. What to do about it depends on who shows the error:
 * `functions/http/hints.ts` and `cli/hints.ts` have a hint for each code.
 */
export class XpeftError extends Error {
  readonly code: ErrorCode;
  readonly reason: ErrorReason<ErrorCode>;
  readonly facts: ErrorFacts;

  constructor(...[code, message, options = {}]: ErrorArguments) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "XpeftError";
    this.code = code;
    this.reason = options.reason;
    this.facts = options.facts ?? {};
  }

  /** Returns the same error with a location before its message, such as a file and a line. */
  withLocation(location: string): XpeftError {
    const { code, message, reason, facts, cause } = this;
    // The reason is of the code: both were checked together when this error was made.
    return new XpeftError(...([code, `${location}: ${message}`, { reason, facts, cause }] as ErrorArguments));
  }
}
