import { expect, it } from "vitest";
import { unknownProfileError, unknownTaskError } from "../../../src/profiles/not-found.ts";

it("reports which task or profile does not exist", () => {
  expect(unknownTaskError("news")).toMatchObject({ code: "unknown_task", message: 'There is no task "news".' });
  expect(unknownProfileError("news", "anna")).toMatchObject({
    code: "unknown_profile",
    message: 'Task "news" has no profile "anna".',
    reason: "requested",
  });
});
