/** What is known of a request when it has ended. It has no text, no profile id and no address. */
export interface RequestRecord {
  readonly request: string;
  readonly method: string;
  /** The pattern of the path, such as `/v1/profiles/:task/:profile`. */
  readonly route: string;
  readonly status: number;
  /** The problem's code. */
  readonly code: string | undefined;
  /** The id of the caller's key. */
  readonly caller: string | undefined;
  /** Number of texts that were answered. */
  readonly texts: number | undefined;
  /** True if the caller disconnected before the end of a stream. */
  readonly aborted: true | undefined;
  readonly milliseconds: number;
}
