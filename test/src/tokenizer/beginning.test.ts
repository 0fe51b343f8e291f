import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { beginningOf } from "../../../src/tokenizer/beginning.ts";
import { createTokenizer, type TextInput, type Tokenizer } from "../../../src/tokenizer.ts";
import { readBundle } from "../../support/folder.ts";

const words = (text: string) => text.split(" ").filter((word) => word !== "");

describe("beginningOf", () => {
  it("splits no more of a text than it must", () => {
    const seen: number[] = [];
    const text = "a ".repeat(100_000);
    const { tokens, whole } = beginningOf(text, 10, 2, (part) => {
      seen.push(part.length);
      return words(part);
    });
    expect({ enough: tokens.length >= 10, whole, seen }).toEqual({ enough: true, whole: false, seen: [96] });
  });

  it("looks further where the beginning has few tokens, and at all of it where all has few", () => {
    const text = `${" ".repeat(500)}${"a ".repeat(300)}`;
    expect(beginningOf(text, 10, 2, words)).toMatchObject({ whole: false });
    expect(beginningOf(text, 301, 2, words)).toEqual({ tokens: Array(300).fill("a"), whole: true });
  });
});

describe("a long text's tokens", () => {
  let tokenizer: Tokenizer;

  beforeAll(async () => {
    tokenizer = createTokenizer((await readBundle("tokenizer.json")) ?? new Uint8Array());
  });

  /** What is kept of a text where all of it is split first: with room for all its tokens, nothing is broken off. */
  function asOfWhole({ text }: TextInput, maxTokens: number): number[] {
    const { ids } = tokenizer.encode({ text }, text.length * 20 + 3);
    return ids.length <= maxTokens ? [...ids] : [...ids.slice(0, maxTokens - 1), ...ids.slice(-1)];
  }

  const piece = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.constantFrom(
      " ",
      "!",
      "[SEP]",
      "[MASK]",
      "\u0301",
      "河",
      "ﷺ",
      "각",
      "unbelievably",
      "x".repeat(99),
      "é".repeat(101),
    ),
  );
  const longText = fc
    .array(fc.tuple(piece, fc.integer({ min: 1, max: 400 })), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.map(([text, times]) => text.repeat(times)).join(""));

  it("are those of the whole text", { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(longText, fc.integer({ min: 3, max: 40 }), (text, maxTokens) => {
        const { ids, truncated } = tokenizer.encode({ text }, maxTokens);
        const whole = asOfWhole({ text }, maxTokens);
        expect([[...ids], truncated]).toEqual([
          whole,
          tokenizer.encode({ text }, text.length * 20 + 3).ids.length > maxTokens,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it("of a pair are cut by how long both are to the end", () => {
    const [long, longer] = ["a ".repeat(6001), "a ".repeat(6002)];
    const firsts = ([text, textPair]: [string, string]) =>
      tokenizer.encode({ text, textPair }, 32).typeIds.filter((type) => type === 0).length;
    expect([firsts([longer, long]), firsts([long, longer])]).toEqual([17, 16]);
  });
});
