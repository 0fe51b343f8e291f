/** Stable names of everything that can go wrong. They are part of the API: a name is never renamed or reused. */
export type ErrorCode =
  | "unknown_task"
  | "unknown_profile"
  | "bundle_mismatch"
  | "invalid_mask"
  | "invalid_label_bias"
  | "invalid_row"
  | "invalid_manifest"
  | "bundle_file_missing"
  | "bundle_file_corrupt"
  | "bundle_unusable"
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
 * The one error that this project throws on purpose.
 *
 * `message` says what is wrong with the thing at hand, `hint` what its owner can do about it.
 */
export class XpeftError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  /** Numbers or names that a program would else have to read out of the message. */
  readonly facts: Readonly<Record<string, number | string>>;

  constructor(
    code: ErrorCode,
    message: string,
    hint: string,
    options: { cause?: unknown; facts?: Readonly<Record<string, number | string>> } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.facts = options.facts ?? {};
    this.name = "XpeftError";
    this.code = code;
    this.hint = hint;
  }
}
