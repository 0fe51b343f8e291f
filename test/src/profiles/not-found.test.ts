import { expect, it } from "vitest";
import { unknownProfile, unknownTask } from "../../../src/profiles/not-found.ts";

it("names what is not there, and where to look", () => {
  expect(unknownTask("news")).toMatchObject({ code: "unknown_task", message: 'There is no task "news".' });
  expect(unknownProfile("news", "anna")).toMatchObject({
    code: "unknown_profile",
    message: 'Task "news" has no profile "anna".',
    hint: expect.stringContaining("onUnknownProfile"),
  });
});
