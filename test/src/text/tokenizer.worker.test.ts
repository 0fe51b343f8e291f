import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import { createTokenizer, type Tokenizer } from "../../../src/text/tokenizer.ts";
import expected from "../../fixtures/oddities.json";
import { errorWithCode } from "../../support/errors.ts";
import { EDGE_CASE_REQUESTS } from "../../tokens/edge-cases.ts";

describe("the default bundle's tokenizer, inside workerd", () => {
  let tokenizer: Tokenizer;

  beforeAll(async () => {
    tokenizer = createTokenizer((await bundleAssets(env.ASSETS).read("tokenizer.json")) ?? new Uint8Array());
  });

  it("returns the same ids as Python for edge cases", () => {
    const tokens = EDGE_CASE_REQUESTS.map((request) => {
      const { ids, typeIds } = tokenizer.encode(request, request.maxTokens);
      return [[...ids], [...typeIds]];
    });
    expect(tokens).toEqual(expected);
  });

  it("keeps the first and last token when it truncates, and says so", () => {
    const whole = tokenizer.encode({ text: "one two three" }, 5);
    expect(whole).toMatchObject({ truncated: false, empty: false });
    expect([...whole.ids]).toEqual([101, 2028, 2048, 2093, 102]);
    const cut = tokenizer.encode({ text: "one two three four" }, 5);
    expect(cut).toMatchObject({ truncated: true, ids: whole.ids });
  });

  it("truncates the longer text of a pair first, and marks the second by its type", () => {
    const { ids, typeIds, truncated } = tokenizer.encode({ text: "one", textPair: "one two three four" }, 6);
    expect([...ids]).toEqual([101, 2028, 102, 2028, 2048, 102]);
    expect([...typeIds]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(truncated).toBe(true);
  });

  it("recognizes a text without tokens", () => {
    expect(tokenizer.encode({ text: "\u200b \u0000" }, 8)).toMatchObject({ empty: true, ids: Int32Array.of(101, 102) });
    expect(tokenizer.encode({ text: "", textPair: "x" }, 8).empty).toBe(false);
  });

  it("rejects a length that leaves no token for the text", () => {
    expect(() => tokenizer.encode({ text: "one" }, 2)).toThrow(errorWithCode("invalid_row"));
    expect(() => tokenizer.encode({ text: "one", textPair: "two" }, 3)).toThrow(errorWithCode("invalid_row"));
  });
});
