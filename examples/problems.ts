// What the examples answer when something goes wrong.
import { ProblemError } from "xpeft-edge/client";
import * as z from "zod";

/** Returns the service's problem as it is, and other errors in the same form. */
function problemOf(error: Error, hint: string) {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof SyntaxError) return { status: 400, code: "invalid_json", detail: error.message, hint };
  if (error instanceof z.ZodError) {
    return { status: 422, code: "invalid_request", detail: z.prettifyError(error), hint };
  }
  // A fault of the example itself would look like a service that is away.
  console.error(error);
  return { status: 502, code: "no_answer", detail: error.message, hint: "Check that the Worker xpeft-edge runs." };
}

/** Returns Hono's handler of errors. @param hint what the example accepts */
export const answerProblem = (hint: string) => (error: Error) => {
  const problem = problemOf(error, hint);
  return Response.json(problem, {
    status: problem.status,
    headers: { "content-type": "application/problem+json" },
  });
};
