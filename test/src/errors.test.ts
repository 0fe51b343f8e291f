import { expect, it } from "vitest";
import { XpeftError } from "../../src/errors.ts";

it("has a cause where one is given, and none by itself", () => {
  const cause = new Error("deeper");
  const caused = new XpeftError("invalid_row", "What is wrong.", "What to do.", { cause, facts: { row: 3 } });
  expect(caused).toMatchObject({
    name: "XpeftError",
    code: "invalid_row",
    hint: "What to do.",
    cause,
    facts: { row: 3 },
  });
  const alone = new XpeftError("invalid_row", "What is wrong.", "What to do.");
  expect("cause" in alone).toBe(false);
  expect(alone.facts).toEqual({});
  expect("cause" in new XpeftError("invalid_row", "", "", { cause: undefined })).toBe(true);
});
