import type { Problem } from "../shared/answers.ts";

/** A prediction that the page asks for. */
export interface Question {
  readonly id: number;
  /** The service's address. */
  readonly origin: string;
  /** The API key; empty if there is none. */
  readonly key: string;
  /** A body of `POST /v1/predict`. */
  readonly request: {
    readonly task: string;
    readonly inputs: readonly { readonly profile: string; readonly text: string }[];
    readonly topK: number;
  };
}

/** What the worker says: how much of the bundle has arrived, or what came of a question. */
export type Reply<Answer> =
  | { readonly download: { readonly bytes: number; readonly of: number } }
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly problem: Problem };
