import { expect, it } from "vitest";
import { audienceProblem } from "../../playground/compare/audience-problem.ts";

it.each<[string, string]>([
  ["key_missing", "It failed. Enter a key with the scopes predict and list."],
  ["bundle_without_tail", "It failed. Compare a few profiles at the top of the page instead."],
  ["overloaded", "It failed. Press Label again in 2 s."],
  ["generation_mismatch", "It failed. Somebody wrote the task meanwhile. Press Label to start again."],
  ["text_too_long", "It failed. The API's hint."],
])("says what to do next: %s", (code, message) => {
  const problem = { code, detail: "It failed.", hint: "The API's hint.", retryAfterSeconds: 2 };
  expect(audienceProblem(problem)).toContain(message);
});
