// The parts of the API's answers that the playground reads (docs/api.md describes the routes), and what it makes of them.

export interface Task {
  readonly task: string;
  readonly labels: readonly string[];
}

export interface Profile {
  readonly profile: string;
  readonly generation: number;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** Base64; empty if the profile has no masks. */
  readonly masks: string;
  /** Base64; null if the profile has none. */
  readonly labelBias: string | null;
  readonly maskBytes: number;
  readonly labelBiasBytes: number;
}

export interface History {
  readonly current: Profile;
  /** Newest first. */
  readonly earlier: readonly Profile[];
}

export interface Scored {
  readonly label: string;
  readonly score: number;
}

export interface Prediction {
  readonly profile: string;
  readonly generation: number;
  /** Where the masks came from: the profile's row, a profile token, or the task's default if there is no profile. */
  readonly masks: "profile" | "default" | "token";
  readonly label: string;
  readonly tokens: number;
  /** Whether only the first `tokens` of the text were read. */
  readonly truncated: boolean;
  /** The best labels, best first; the pages always request them. */
  readonly top?: readonly Scored[];
}

/** Milliseconds by phase. */
export type Timings = Readonly<Record<"tokenize" | "masks" | "merge" | "encoder" | "head" | "total", number>>;

export interface Predictions {
  readonly predictions: readonly Prediction[];
  readonly timings: Timings;
}

/** The pool that masks choose from. */
export interface Pool {
  readonly firstLayer: number;
  readonly size: number;
  readonly chosen: number;
}

export interface Info {
  readonly bundle: {
    readonly layers: number;
    readonly hidden: number;
    readonly bottleneck: number;
    readonly pool: Pool;
  };
}

export interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly hint: string;
}

/** What a profile says of a text. */
export interface FanOutMember {
  readonly profile: string;
  readonly label: string;
  readonly score: number;
}

/** Why a profile says nothing. */
export interface FanOutFailure {
  readonly profile: string;
  readonly error: Problem;
}

/** The counts of `/v1/fanout`, after every 500 profiles and at the end. */
export interface FanOutCounts {
  readonly done: boolean;
  /** The last profile that was read, if there may be more. */
  readonly next: string | null;
}

export interface LearnProgress {
  readonly phase: "start" | "left-out" | "all";
  /** 0 to 1. */
  readonly done: number;
}

export interface HeldOut {
  readonly loss: number;
  readonly accuracy: number;
}

export interface Learnt {
  /** Null if nothing was written: the page requests no dry run, so the profile exists and nothing was gained. */
  readonly generation: number | null;
  /** The profile that learning started from; null for the task's default. */
  readonly start: string | null;
  readonly leftOut: {
    readonly texts: number;
    readonly start: HeldOut;
    readonly learnt: HeldOut;
    readonly trusted: boolean;
    readonly gained: boolean;
  };
}

/** What a profile says of a text, or why it says nothing. */
export type Outcome = { readonly profile: string } & (
  | { readonly prediction: Prediction }
  | { readonly error: unknown }
);

/** A text with its label. */
export interface LabelledText {
  readonly text: string;
  readonly label: string;
}
