import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import { scopesFor } from "../../src/auth/access.ts";
import type { ErrorCode, ErrorReason, XpeftError } from "../../src/errors.ts";
import type { PlatformHints } from "../platform/hints.ts";
import type { AppEnv } from "./env.ts";

/** Routes whose hints differ from those of the others, by their paths. */
const ROUTE_KINDS = {
  "/v1/predict": "predict",
  "/v1/predict/stream": "stream",
  "/v1/fanout": "fanout",
  "/v1/hf/:task/:profile": "hf",
  "/v1/tei/:task/:profile/predict": "tei",
  "/v1/tasks/:task": "task",
  "/v1/profiles/:task/:profile": "profile",
} as const;

/** What a hint must know of the route that shows it: which options the route has. */
export type RouteKind = (typeof ROUTE_KINDS)[keyof typeof ROUTE_KINDS] | "other";

const KIND_OF_PATH: ReadonlyMap<string, RouteKind> = new Map(Object.entries(ROUTE_KINDS));

/** Returns the kind of the route that a request matches. */
export function routeKindOf(c: Context<AppEnv>): RouteKind {
  return KIND_OF_PATH.get(matchedRoutes(c).at(-1)?.path ?? "") ?? "other";
}

type Hint<Code extends ErrorCode> =
  | string
  | ((reason: ErrorReason<Code>, route: RouteKind, platform: PlatformHints) => string);

const NEW_TOKEN = "Get a new token with POST /v1/profiles/{task}/{profile}/token.";
const BUILD_AGAIN = "Build the bundle again with the training companion of this version, then deploy.";
const COPY_AGAIN = "Copy the bundle's folder again or build it again, then deploy.";

const DAMAGED_PARTS = {
  stored: "The row is damaged or of another bundle. Write it again.",
  start: 'Write that profile again, or choose the start: "default", or another profile.',
};

/** What to do about each error, for a caller of the API. */
const HINTS: { readonly [Code in ErrorCode]: Hint<Code> } = {
  unknown_task: "GET /v1/tasks lists the tasks.",
  unknown_profile(reason, route) {
    if (reason === "start") return 'Choose another start: "auto", "default", or a profile that the task has.';
    if (route === "predict")
      return 'Write the profile first, or send "onUnknownProfile": "default" to use the task\'s default masks.';
    if (route === "stream")
      return "Write the profile first, or add onUnknownProfile=default to the query to use the task's default masks.";
    return "GET /v1/profiles/{task} lists the task's profiles.";
  },
  unknown_generation:
    "GET /v1/profiles/{task}/{profile}/history lists the generations: the last five since the task's head or adapter changed.",
  bundle_mismatch: "Write the task and its profiles as trained on this bundle, or deploy their bundle.",
  head_mismatch:
    "Send profiles that were trained with this task's head, or write the task that they were trained with.",
  generation_mismatch: (_, route) =>
    route === "fanout"
      ? "The lines so far are of an earlier version of the task. Start again, without after and If-Match."
      : "Read the row again. If you still want the write, send it with the new generation.",
  task_has_profiles:
    "Add profiles=delete to the query to delete the profiles too. A changed task can also be written under another name.",
  mismatched_write: (reason) =>
    ({
      bundle: "Train the task on this bundle, or deploy the task's bundle.",
      length: "Train the task with a smaller maxTokens.",
      head: "Write the task's file again from its training.",
      adapter: "Write the task's file again from its training.",
      size: "Train the task with fewer or shorter labels.",
      training: "Train the task again.",
      task: "Send each profile to its own task.",
      duplicate: "Send only one of the two lines.",
      profiles: "Write the task together with all of its profiles, or under another name.",
    })[reason],
  write_conflict: (_, route) =>
    route === "fanout"
      ? "The lines so far are of an earlier version of the task. Start again, without after."
      : "Read the task and its profile again. If you still want the write, send it again.",

  empty_text: (reason) =>
    ({
      text: "Send a text with words in it.",
      example: "Leave the example out, or send a text with words in it.",
    })[reason],
  text_too_long(_, route) {
    if (route === "predict" || route === "fanout")
      return 'Send a shorter text, or leave "truncate" out to have it cut.';
    if (route === "stream") return "Send a shorter text, or leave truncate out of the query to have it cut.";
    if (route === "hf") return 'Send a shorter text, or leave "truncation" out of the parameters to have it cut.';
    if (route === "tei") return 'Send a shorter text, or send "truncate": true to have it cut.';
    return "Send a shorter text.";
  },
  overloaded(reason, route) {
    const retry = "Send the request again after the seconds in retryAfterSeconds";
    if (reason === "bodies") return `${retry}. Send fewer requests at once, or smaller ones, if this persists.`;
    if (route !== "predict") return `${retry}.`;
    return `${retry}, or send its texts to POST /v1/predict/stream: there they wait for their turn.`;
  },

  unknown_label: (reason) =>
    ({
      task: "Use one of the task's labels. New labels need a new task.",
      profile: 'Use one of the labels that the profile knows, or send all that it will know in "knownLabels".',
    })[reason],
  one_label: "Send examples of two labels or more.",
  too_few_examples: (reason) =>
    ({
      count: "Send two or more, of two labels or more. Learning pays from about five.",
      texts: "Send two different texts or more.",
      label: "Send two different texts or more of each label. Leave out labels that have fewer.",
    })[reason],
  too_many_examples: (reason) =>
    ({
      count: "Send fewer, or train the profile with the training companion: python -m xpeft add.",
      tokens: "Send fewer or shorter texts.",
    })[reason],
  learning_busy: "Send the request again after the seconds in retryAfterSeconds. Learning takes about ten seconds.",
  learning_too_long:
    'Send fewer or shorter examples, or lower "epochs". Or learn outside the service: xpeft learn, or python -m xpeft add.',

  key_missing: "Send a key in the header: Authorization: Bearer xpk_… Whoever runs the service makes keys.",
  key_invalid: "Check the key for typing errors, or get a new one from whoever runs the service.",
  key_expired: "Get a new key from whoever runs the service.",
  // Keys are made on the command line only, so this hint names its option.
  scope_missing: (scope) =>
    `Use a key with this scope. Whoever runs the service makes one: xpeft keys create --scope ${scopesFor(scope).join(" ")}`,
  outside_confinement: "Use a key whose task and profile prefix match the request.",

  tokens_not_set_up: (_, __, { tokens }) => tokens,
  token_malformed: `Send the whole token, unchanged. ${NEW_TOKEN}`,
  token_too_large: (reason) =>
    ({
      received: `${NEW_TOKEN} With "carry": "profile", it leaves out the task's head and adapter.`,
      all: 'Send "carry": "profile", which leaves out the task\'s head and adapter.',
      profile: "The profile's masks are too large for a token. Predict with a key.",
    })[reason],
  token_unknown_key: NEW_TOKEN,
  token_other_algorithm: NEW_TOKEN,
  token_forged: NEW_TOKEN,
  token_expired: NEW_TOKEN,
  token_not_yet_valid: `Compare the clocks of both machines, or wait. ${NEW_TOKEN}`,
  token_other_bundle: NEW_TOKEN,
  token_other_task: `Request the token's task, or get a token for the other one. ${NEW_TOKEN}`,
  token_other_profile: `Request the token's profile, or get a token for the other one. ${NEW_TOKEN}`,
  token_incomplete: NEW_TOKEN,
  token_stale: NEW_TOKEN,

  invalid_mask: (reason) => DAMAGED_PARTS[reason],
  invalid_label_bias: (reason, route) =>
    route === "profile"
      ? `${DAMAGED_PARTS[reason]} GET /v1/tasks/{task}/export shows it as it is stored.`
      : DAMAGED_PARTS[reason],
  invalid_row: (reason) =>
    ({
      format: "docs/formats.md describes the format.",
      duplicate: "Send only one of the two lines.",
      stored: "Write the row again.",
      key: "Whoever runs the service revokes the key and makes a new one.",
      training: "Train the task again, then write it again.",
    })[reason],
  invalid_manifest: COPY_AGAIN,
  bundle_file_missing: "Deploy the whole folder of the bundle.",
  bundle_file_corrupt: COPY_AGAIN,
  bundle_unusable: (reason, _, { build }) =>
    ({
      tokenizer: "Build the bundle from a PLM with a BERT tokenizer: BertNormalizer, BertPreTokenizer, WordPiece.",
      files: BUILD_AGAIN,
      features: BUILD_AGAIN,
      read: "Retry. If this persists, deploy the bundle again.",
      build,
    })[reason],
  bundle_without_tail:
    "Send the text to POST /v1/predict under up to 64 profiles at once, or build a bundle whose last layer alone has adapters of profiles: docs/formats.md.",
  invalid_setting: (reason, _, { setting, secret }) =>
    ({
      variable: setting,
      secret,
    })[reason],
  database_unavailable: (reason, _, platform) => platform[reason],
  shard_map_mismatch: (reason, _, platform) => platform[reason],
  shards_out_of_step: (_, route) =>
    route === "task"
      ? "Retry. If this persists, send the last write again, with the task's generation, if it has one, in If-Match. Add profiles=delete to the query if profiles of an earlier head block it."
      : "Retry. If this persists, the task's last write was interrupted: send that PUT or DELETE of /v1/tasks/{task} again.",
};

/**
 * Returns what a caller of the API can do about an error.
 *
 * @param route the route that shows the hint; the hint names no option that this route lacks
 * @param platform what whoever runs the service can do
 */
export function hintFor(error: Pick<XpeftError, "code" | "reason">, route: RouteKind, platform: PlatformHints): string {
  return hintOf(error.code, error.reason, route, platform);
}

function hintOf<Code extends ErrorCode>(
  code: Code,
  reason: ErrorReason<Code>,
  route: RouteKind,
  platform: PlatformHints,
): string {
  const hint: Hint<Code> = HINTS[code];
  return typeof hint === "string" ? hint : hint(reason, route, platform);
}
