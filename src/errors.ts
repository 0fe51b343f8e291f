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
  | "empty_text"
  | "mismatched_write"
  | "write_conflict"
  | "invalid_setting";

/**
 * The one error that this project throws on purpose.
 *
 * `message` says what is wrong with the thing at hand, `hint` what its owner can do about it.
 */
export class XpeftError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = "XpeftError";
    this.code = code;
    this.hint = hint;
  }
}
