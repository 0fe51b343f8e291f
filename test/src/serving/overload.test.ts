import { expect, it } from "vitest";
import { tooManyTokensError } from "../../../src/serving/overload.ts";

it("says how many tokens are in flight", () => {
  expect(tooManyTokensError(1)).toMatchObject({
    code: "overloaded",
    message: expect.stringContaining("At capacity: 1 tokens"),
  });
});

it("estimates when to retry, at least after 1 s", () => {
  const seconds = [0, 1000, 4000, 32_768].map((tokens) => tooManyTokensError(tokens).facts.retryAfterSeconds);
  expect(seconds).toEqual([1, 1, 4, 33]);
});
