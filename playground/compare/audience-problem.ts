import type { Problem } from "../shared/answers.ts";

const NEEDS_KEY =
  "Enter a key with the scopes predict and list. To create one, run this where the service runs: npm run -s xpeft -- keys create --scope predict list";
const TASK_WRITTEN = "Somebody wrote the task meanwhile. Press Label to start again.";

/** What to do on this page. The hints of the API speak of requests. */
const NEXT_STEPS = new Map<string, (problem: Problem) => string>([
  ["key_missing", () => NEEDS_KEY],
  ["scope_missing", () => NEEDS_KEY],
  ["unknown_task", () => "Reload the page to list the tasks again."],
  ["bundle_without_tail", () => "Compare a few profiles at the top of the page instead."],
  ["overloaded", ({ retryAfterSeconds }) => `Press Label again in ${retryAfterSeconds} s.`],
  ["generation_mismatch", () => TASK_WRITTEN],
  ["write_conflict", () => TASK_WRITTEN],
]);

/** Returns what is wrong, and what to do next. */
export const audienceProblem = (problem: Problem): string =>
  `${problem.detail} ${NEXT_STEPS.get(problem.code)?.(problem) ?? problem.hint}`;
