import type { Problem } from "./answers.ts";

/** A prediction that the page needs. */
export interface LocalRequest {
  readonly id: number;
  /** The API key; empty if there is none. */
  readonly key: string;
  /** A body of `POST /v1/predict`. */
  readonly body: {
    readonly task: string;
    readonly inputs: readonly { readonly profile: string; readonly text: string }[];
    readonly topK: number;
  };
}

/** How much of the bundle has arrived, or the result of a request. */
export type LocalReply<Answer> =
  | { readonly download: { readonly bytes: number; readonly totalBytes: number } }
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly problem: Problem };
