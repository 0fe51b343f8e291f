import type { Problem } from "../api/answers.ts";
import { ApiError, messageOf } from "../api/request.ts";
import { CREATE_KEY } from "./create-key.ts";

const HOW = `To create one, run this where the service runs: ${CREATE_KEY}`;
const ANOTHER_KEY = `Enter another key at the top of the page. ${HOW}`;

/** What to do on the page. The hints of the API speak of requests. */
const NEXT_STEPS: Readonly<Record<string, string>> = {
  key_missing: `Enter a key at the top of the page. ${HOW}`,
  key_invalid: ANOTHER_KEY,
  key_expired: ANOTHER_KEY,
  scope_missing: `Enter a key that has it at the top of the page. ${HOW}`,
  unknown_task: "Reload the page to list the tasks again.",
  generation_mismatch: "Somebody else wrote it meanwhile. Try again to replace that version.",
  write_conflict: "Somebody else wrote the task meanwhile. Reload the page to see the new version.",
};

/** Ends a sentence that has no end. */
const sentence = (text: string): string => (/[.!?:…]$/.test(text) ? text : `${text}.`);

/** Returns what is wrong, and what to do next on the page. */
const problemText = ({ code, detail, hint }: Problem): string =>
  `${sentence(detail)} ${NEXT_STEPS[code] ?? hint}`.trim();

/** Returns what an error says, and what to do next on the page. */
export const errorText = (error: unknown): string =>
  error instanceof ApiError ? problemText(error.problem) : messageOf(error);

/** Says what is wrong, where it happened. */
export const ProblemText = ({ error }: { error: unknown }) => (
  <p class="problem" role="alert">
    {errorText(error)}
  </p>
);
