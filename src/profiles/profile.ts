/** A profile to write. */
export interface NewProfile extends ProfileParts {
  readonly id: string;
}

/** What predictions use of a profile. */
export interface ProfileParts {
  /** A mask blob, as docs/formats.md describes it; empty where the profile has no masks. */
  readonly masks: Uint8Array;
  /** A label bias, with a head change and known labels if the profile has them: profile-head.ts. Null if it has none. */
  readonly labelBias: Uint8Array | null;
}

/** A profile as it is stored. */
export interface StoredProfile extends ProfileParts {
  readonly task: string;
  readonly id: string;
  readonly generation: number;
  readonly updatedAt: Date;
}
