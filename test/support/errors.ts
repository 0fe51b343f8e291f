import { expect } from "vitest";
import type { ErrorCode } from "../../src/errors.ts";

/** What `toThrow` and `rejects.toThrow` compare an error with: its name, and that it has a hint. */
export function named(code: ErrorCode) {
  return expect.objectContaining({ name: "XpeftError", code, hint: expect.stringMatching(/\S/) });
}
