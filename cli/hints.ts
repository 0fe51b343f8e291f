import type { ProblemError } from "../client/index.ts";
import { HINTS as FILE_HINTS } from "../node/server/hints.ts";
import { scopesFor } from "../src/auth/access.ts";
import type { ErrorCode, ErrorReason, XpeftError } from "../src/errors.ts";

/** Every code that a command can show: its own process's, or that of a Worker's answer. */
type ShownCode = ProblemError["code"];

/** Why an error arose; undefined where a Worker answered it, which tells no reason. */
type Reason<Code extends ShownCode> = Code extends ErrorCode ? ErrorReason<Code> | undefined : undefined;

type Hint<Code extends ShownCode> = string | ((reason: Reason<Code>) => string);

const RETRY = "Retry in a moment.";
const NEW_TOKEN = "Make a new token: xpeft profiles token TASK PROFILE.";
const BUNDLE = "Copy the bundle's folder again, or build it again: python -m xpeft bundle.";
const NEW_KEY = "Make a new key: xpeft keys create.";
const GIVE_KEY = "Give a key: --key xpk_…, or the environment variable XPEFT_KEY.";
const WRITE_AGAIN = "Write it again: xpeft push, or xpeft restore from a backup.";
const TRAIN_AGAIN = "Train the task again, then write it: xpeft push.";
const OTHER_VERSION =
  "The Worker may be of another version than this command. Deploy it again, or install the version of the Worker.";
const ONE_LINE = "Remove one of the two lines.";
const MATCHING_FILES = "Give the files of one training, for this task on this bundle.";

const damagedParts = (reason: "stored" | "start" | undefined): string =>
  reason === "start"
    ? "Write that profile again, or choose the start: learn --start default, or the id of another profile."
    : "It is damaged or of another bundle. Write it again: xpeft push, or xpeft profiles rollback. xpeft profiles pull saves it as it is stored.";

/** What to do about each error, for whoever runs a command. */
const HINTS: { readonly [Code in ShownCode]: Hint<Code> } = {
  unknown_task: "List the tasks: xpeft tasks list.",
  unknown_profile: (reason) =>
    reason === "start"
      ? "Choose another start: --start auto, default, or the id of a profile that exists."
      : "List the profiles: xpeft profiles list TASK. Or use the task's default masks: predict --or-default, learn --start default.",
  unknown_generation: "List the stored generations: xpeft profiles history TASK PROFILE.",
  bundle_mismatch: "Push the task and its profiles as trained on this bundle, or use their bundle.",
  head_mismatch:
    "Give profiles that were trained with this task's head, or write the task that they were trained with.",
  generation_mismatch:
    "Look at what is stored now: xpeft profiles show, or xpeft tasks list. Then write with that generation, or run the fanout again.",
  task_has_profiles:
    "Delete its profiles too: push --replace, learn-task --replace, restore --replace or tasks delete --profiles.",
  mismatched_write(reason) {
    switch (reason) {
      case "bundle":
        return "Give the bundle that the task was trained on, --bundle; or train the task on this bundle.";
      case "length":
        return "Train the task with a smaller --max-tokens.";
      case "size":
        return "Train the task with fewer or shorter labels.";
      case "training":
        return "Train the task again.";
      case "duplicate":
        return ONE_LINE;
      case "profiles":
        return "Push the task together with all of its profiles, or under another name.";
      default:
        return MATCHING_FILES;
    }
  },
  write_conflict: "Look at what is stored now, then run the command again.",

  empty_text: (reason) =>
    reason === "example" ? "Remove the example, or give a text with words in it." : "Give a text with words in it.",
  text_too_long: "Give a shorter text.",
  overloaded: RETRY,

  unknown_label: (reason) =>
    reason === "profile"
      ? "Use one of the labels that the profile knows, or name all that it will know with --known-labels."
      : "Use one of the task's labels. New labels need a new task.",
  one_label: "Give examples of two labels or more.",
  too_few_examples: (reason) =>
    ({
      count: "Give two different texts or more, of two labels or more. Learning pays from about five.",
      texts: "Give two different texts or more.",
      label: "Give two different texts or more of each label, or remove labels that have fewer.",
    })[reason ?? "count"],
  too_many_examples: (reason) =>
    reason === "tokens"
      ? "Give fewer or shorter texts."
      : "Give fewer or shorter texts, or train the profile with the training companion: python -m xpeft add.",
  learning_busy: RETRY,
  learning_too_long: "Give fewer or shorter examples or a smaller --epochs; or learn on this machine: leave --url out.",

  key_missing: GIVE_KEY,
  key_invalid: "Check the key for typing errors, or make a new one: xpeft keys create.",
  key_expired: NEW_KEY,
  scope_missing: (scope) =>
    `Make a key with this scope: xpeft keys create --scope ${scope ? scopesFor(scope).join(" ") : "SCOPE"}.`,
  outside_confinement: "Use a key whose task and profile prefix match.",

  tokens_not_set_up: "Use a key. Or set the secret TOKEN_KEYS of the Worker: docs/api.md explains how.",
  token_malformed: NEW_TOKEN,
  token_too_large: (reason) =>
    reason === "profile"
      ? "The profile's masks are too large for a token. Use a key."
      : "Leave the task's head and adapter out: run xpeft profiles token without --with-task.",
  token_unknown_key: NEW_TOKEN,
  token_other_algorithm: NEW_TOKEN,
  token_forged: NEW_TOKEN,
  token_expired: NEW_TOKEN,
  token_not_yet_valid: "Compare the clocks of both machines, or wait.",
  token_other_bundle: NEW_TOKEN,
  token_other_task: "Name the token's task, or make a token for the other one: xpeft profiles token TASK PROFILE.",
  token_other_profile:
    "Name the token's profile, or make a token for the other one: xpeft profiles token TASK PROFILE.",
  token_incomplete: NEW_TOKEN,
  token_stale: NEW_TOKEN,

  invalid_mask: damagedParts,
  invalid_label_bias: damagedParts,
  invalid_row(reason) {
    switch (reason) {
      case "format":
        return "docs/formats.md describes the format.";
      case "duplicate":
        return ONE_LINE;
      case "key":
        return "Revoke the key and make a new one: xpeft keys revoke, xpeft keys create.";
      case "training":
        return TRAIN_AGAIN;
      default:
        return WRITE_AGAIN;
    }
  },
  invalid_manifest: BUNDLE,
  bundle_file_missing: "Give the whole folder of a bundle.",
  bundle_file_corrupt: BUNDLE,
  bundle_unusable: (reason) =>
    reason === "tokenizer"
      ? "Build the bundle from a PLM with a BERT tokenizer: BertNormalizer, BertPreTokenizer, WordPiece."
      : "Build the bundle again with the training companion of this version: python -m xpeft bundle.",
  bundle_without_tail:
    "Predict under single profiles: xpeft predict. Or serve a bundle whose last layer alone has adapters of profiles.",
  invalid_setting:
    "Correct the environment variable, whose name begins with XPEFT_. The help of xpeft serve lists them.",
  database_unavailable: (reason) =>
    reason === "locked" || reason === "full" || reason === "damaged" || reason === "readonly"
      ? FILE_HINTS[reason]
      : "Check the database and its migrations: xpeft doctor. Migrations are applied by npm start, and by xpeft serve.",
  shard_map_mismatch:
    "Bind the databases in wrangler.toml in their places: DB, DB_1 and so on. docs/scale.md explains it.",
  shards_out_of_step: "Retry. If this persists, run the last push or deletion of the task again.",

  invalid_request: `Correct the option or the line that the message is about. If both are valid: ${OTHER_VERSION}`,
  invalid_json: "Give one object on each line: docs/formats.md describes the format.",
  invalid_unicode: "Give text in UTF-8.",
  unsupported_media_type: OTHER_VERSION,
  payload_too_large: "Give fewer or shorter texts at once.",
  body_too_slow: "Retry over a faster connection, or with less at once.",
  not_found: "Check the address of the Worker: --url, or the environment variable XPEFT_URL.",
  method_not_allowed: OTHER_VERSION,
  rate_limited: "Retry in a minute.",
  internal_error: "Retry. If this persists, look into the Worker's log.",
};

/** Only the service knows where its settings and databases are. */
const OF_THE_SERVICE: ReadonlySet<string> = new Set(["invalid_setting", "database_unavailable", "shard_map_mismatch"]);

/** Returns what to do about an error: this process's own, or a Worker's answer, which has no reason. */
export function hintFor(error: Pick<XpeftError, "code" | "reason"> | Pick<ProblemError, "code" | "hint">): string {
  if ("reason" in error) return hintOf(error.code, error.reason);
  if (OF_THE_SERVICE.has(error.code) && error.hint) return error.hint;
  // A newer Worker may answer with a code that this version does not know.
  return Object.hasOwn(HINTS, error.code) ? hintOf(error.code, undefined) : error.hint;
}

function hintOf<Code extends ShownCode>(code: Code, reason: Reason<Code>): string {
  const hint: Hint<Code> = HINTS[code];
  return typeof hint === "string" ? hint : hint(reason);
}
