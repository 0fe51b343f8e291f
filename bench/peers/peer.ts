/** A peer's prediction for a text. */
export interface Prediction {
  /** The label with the highest score. */
  readonly label: string;
  /** Its score, 0 to 1. */
  readonly score: number;
  /** Tokens read, including the special ones. */
  readonly tokens: number;
}

/** A running server that serves the workload. */
export interface Peer {
  readonly name: string;
  /** Bytes of one more profile on disk. */
  readonly bytesPerProfile: number;
  /** Whether one process serves many profiles. */
  readonly manyProfiles: boolean;
  /** Requests a prediction over HTTP. */
  predict(profile: string, text: string): Promise<Prediction>;
  /** Returns the resident bytes of its process. */
  residentBytes(): Promise<number>;
  close(): Promise<void>;
}
