/** What a peer says of a text. */
export interface Answer {
  /** The likeliest label. */
  readonly label: string;
  /** Its score, 0 to 1. */
  readonly score: number;
  /** Tokens read, special tokens included. */
  readonly tokens: number;
}

/** A server that does the task, running. */
export interface Peer {
  readonly name: string;
  /** What one more profile takes on disk. */
  readonly bytesPerProfile: number;
  /** Whether one process answers for many profiles. */
  readonly manyProfiles: boolean;
  /** Asks over HTTP. */
  ask(profile: string, text: string): Promise<Answer>;
  /** Bytes of memory that its process has resident. */
  residentBytes(): Promise<number>;
  close(): Promise<void>;
}

/** A peer that this machine lacks something for; its message says what. */
export class PeerMissing extends Error {
  override readonly name = "PeerMissing";
}
