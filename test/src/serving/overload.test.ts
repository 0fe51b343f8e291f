import { expect, it } from "vitest";
import { tooManyTokensError } from "../../../src/serving/overload.ts";

it("names what there is too much of", () => {
  expect(tooManyTokensError(1)).toMatchObject({
    code: "overloaded",
    message: expect.stringContaining("At capacity: 1 tokens"),
  });
});

it("tells how long what waits will take, and never less than a second", () => {
  const seconds = [0, 1000, 4000, 32_768].map((tokens) => tooManyTokensError(tokens).facts.retryAfterSeconds);
  expect(seconds).toEqual([1, 1, 4, 33]);
});
