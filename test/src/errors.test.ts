import { expect, it } from "vitest";
import { XpeftError } from "../../src/errors.ts";

it("has a cause only if one is passed", () => {
  const cause = new Error("the cause");
  const caused = new XpeftError("invalid_row", "What is wrong.", { reason: "stored", cause, facts: { generation: 3 } });
  expect(caused).toMatchObject({
    name: "XpeftError",
    code: "invalid_row",
    reason: "stored",
    cause,
    facts: { generation: 3 },
  });
  const alone = new XpeftError("unknown_task", "What is wrong.");
  expect("cause" in alone).toBe(false);
  expect(alone).toMatchObject({ reason: undefined, facts: {} });
  expect("cause" in new XpeftError("unknown_task", "", { cause: undefined })).toBe(true);
});

it("adds a location to the message and keeps every other field", () => {
  const cause = new Error("the cause");
  const error = new XpeftError("invalid_row", "This is not JSON.", { reason: "format", cause });
  expect(error.withLocation("a.json:3")).toMatchObject({
    code: "invalid_row",
    message: "a.json:3: This is not JSON.",
    reason: "format",
    cause,
  });
});
