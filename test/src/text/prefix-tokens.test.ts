import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { countTokens, pairPrefixTokens, prefixTokens, seamsBeside } from "../../../src/text/prefix-tokens.ts";
import { createTokenizer, type TextInput, type Tokenizer } from "../../../src/text/tokenizer.ts";
import { longestFirst } from "../../../src/text/truncate-pair.ts";
import { readBundleFile } from "../../support/default-bundle.ts";

const words = (text: string) => text.split(" ").filter((word) => word !== "");

describe("prefixTokens", () => {
  it("tokenizes only as much of a text as it needs", () => {
    const seen: number[] = [];
    const text = "a ".repeat(100_000);
    const { tokens, complete } = prefixTokens(text, 10, 2, (part) => {
      seen.push(part.length);
      return words(part);
    });
    expect({ enough: tokens.length >= 10, complete, seen }).toEqual({ enough: true, complete: false, seen: [96] });
  });

  it("reads further when the prefix has few tokens, up to the whole text", () => {
    const text = `${" ".repeat(500)}${"a ".repeat(300)}`;
    expect(prefixTokens(text, 10, 2, words)).toMatchObject({ complete: false });
    expect(prefixTokens(text, 301, 2, words)).toEqual({ tokens: Array(300).fill("a"), complete: true });
  });

  it("returns no token that the cut may have changed, and few more than requested", () => {
    const seen: number[] = [];
    const read = (text: string) =>
      prefixTokens(text, 10, 2, (part) => {
        seen.push(part.length);
        return words(part);
      });
    // 96 characters hold 12 words, just enough to be certain of 10.
    expect(read("abcdefg ".repeat(20))).toEqual({ tokens: Array(10).fill("abcdefg"), complete: false });
    expect(read("abcdefg ".repeat(12))).toEqual({ tokens: Array(12).fill("abcdefg"), complete: true });
    expect(read(`${"abcdefg ".repeat(11)}${" ".repeat(20)}`)).toMatchObject({ complete: true });
    expect(seen).toEqual([96, 96, 96, 108]);
  });
});

describe("countTokens", () => {
  /** Returns the token count, and the parts the text was counted in. */
  function partsOf(text: string, enough = Number.POSITIVE_INFINITY) {
    const parts: string[] = [];
    const tokensOf = (part: string) => {
      parts.push(part);
      return words(part);
    };
    const count = countTokens(text, enough, tokensOf, seamsBeside(["[SEP]"]));
    return { count, lengths: parts.map(({ length }) => length), text: parts.join("") };
  }

  it("splits a text at the last boundary within 8,192 characters, else at the next boundary", () => {
    const text = `${"a ".repeat(4095)}bc${"d".repeat(10_000)},${"e".repeat(8192)}`;
    expect(partsOf(text)).toEqual({ count: 4097, lengths: [8190, 10_003, 8192], text });
    expect(partsOf("x".repeat(8192))).toEqual({ count: 1, lengths: [8192], text: "x".repeat(8192) });
    expect(partsOf("x".repeat(20_000)).lengths).toEqual([20_000]);
    // A boundary at the very start counts.
    expect(partsOf(` ${"x".repeat(9000)}`).lengths).toEqual([1, 9000]);
  });

  it("stops after the part that reaches the requested count", () => {
    const text = "abc ".repeat(8192);
    expect(partsOf(text, 2048).lengths).toEqual([8192]);
    expect(partsOf(text, 2049)).toMatchObject({ count: 4096, lengths: [8192, 8192] });
    expect(partsOf(text, 0).lengths).toEqual([]);
  });
});

describe("seamsBeside", () => {
  it("splits after white space and punctuation, except inside added tokens", () => {
    const all = seamsBeside([]);
    expect([..." \n!-<>[]_~"].every((character) => all.has(character))).toBe(true);
    expect([..."a0é，"].some((character) => all.has(character))).toBe(false);
    const few = seamsBeside(["<s>", "</s>", "a b"]);
    expect(["<", "/", ">", " ", "[", "\t"].map((character) => few.has(character))).toEqual([
      ...[false, false, false, false],
      ...[true, true],
    ]);
  });
});

describe("pairPrefixTokens", () => {
  const read = (...texts: [string, string]) => {
    let most = 0;
    let all = 0;
    const tokensOf = (part: string) => {
      most = Math.max(most, part.length);
      all += part.length;
      return words(part);
    };
    const { lengths } = pairPrefixTokens(texts, 10, 2, tokensOf, seamsBeside([]));
    return { order: Math.sign(lengths[0] - lengths[1]), most, all };
  };

  it("tells which text is longer", () => {
    const lengths = [0, 5, 40, 47, 48, 49, 60, 96, 97, 200, 201];
    // Characters a word: the prefixes end after different numbers of words.
    const sizes = [2, 3, 9];
    for (const size of sizes)
      for (const [first, second] of lengths.flatMap((a) => lengths.map((b) => [a, b] as const))) {
        const { order } = read("a ".repeat(first), `b${" ".repeat(size - 1)}`.repeat(second));
        expect({ first, second, size, order }).toEqual({ first, second, size, order: Math.sign(first - second) });
      }
  });

  it("tokenizes small parts, and of the longer text only enough to know that it is longer", () => {
    const [long, longer] = ["a ".repeat(50_000), "a ".repeat(1_000_000)];
    const prefixes = 2 * 8 * 12;
    expect(read(long, longer)).toEqual({ order: -1, most: 8192, all: prefixes + 100_000 + 13 * 8192 });
    expect(read(longer, long)).toMatchObject({ order: 1, most: 8192 });
    expect(read("a ".repeat(5), longer)).toMatchObject({ order: -1, most: 8 * 12 });
    expect(read(longer, "a ".repeat(5))).toEqual({ order: 1, most: 8 * 12, all: 8 * 12 + 10 });
    // One text is read whole and has more tokens than the other's prefix. The other is read until the order is known.
    const whole = "a ".repeat(48);
    expect(read(whole, longer)).toEqual({ order: -1, most: 8192, all: 2 * 8 * 12 + 8192 });
    expect(read(longer, whole)).toEqual({ order: 1, most: 8192, all: 2 * 8 * 12 + 8192 });
  });
});

describe("a long text's tokens", () => {
  let tokenizer: Tokenizer;

  beforeAll(async () => {
    tokenizer = createTokenizer((await readBundleFile("tokenizer.json")) ?? new Uint8Array());
  });

  /** Returns the tokens of a text that is tokenized whole: the limit is above any possible count, so nothing is cut. */
  const wholeOf = (text: string) => [...tokenizer.encode({ text }, text.length * 20 + 3).ids].slice(1, -1);

  /** Returns what remains of a pair when both texts are tokenized whole, then truncated. */
  function truncatedWhole(text: string, textPair: string, maxTokens: number): [number[], number[]] {
    const [first, second] = [wholeOf(text), wholeOf(textPair)];
    const [keepFirst, keepSecond] = longestFirst([first.length, second.length], maxTokens - 3);
    return [first.slice(0, keepFirst), second.slice(0, keepSecond)];
  }

  function truncatedTokens(input: TextInput, maxTokens: number): [number[], number[]] {
    const { ids, typeIds } = tokenizer.encode(input, maxTokens);
    const second = typeIds.indexOf(1);
    return [[...ids.slice(1, second - 1)], [...ids.slice(second, -1)]];
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

  // Has few or many tokens for its length. Up to about 1,900 characters it is read whole.
  const evenText = fc
    .tuple(
      fc.constantFrom(
        "!",
        "河",
        "a ",
        "No! ",
        "[SEP] ",
        "unbelievably long story ",
        `${"x".repeat(99)} `,
        " ".repeat(9),
      ),
      fc.integer({ min: 1, max: 8000 }),
    )
    .map(([text, length]) => text.repeat(Math.ceil(length / text.length)));

  it("have the same count part by part as at once", () => {
    const tokensOf = (text: string) => [...wholeOf(text)].map(String);
    const seams = seamsBeside(["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]"]);
    fc.assert(
      fc.property(fc.array(fc.oneof(longText, evenText), { minLength: 1, maxLength: 6 }), (texts) => {
        const text = texts.join("");
        const count = tokensOf(text).length;
        expect(countTokens(text, Number.POSITIVE_INFINITY, tokensOf, seams)).toBe(count);
        expect(countTokens(text, 100, tokensOf, seams)).toBeGreaterThanOrEqual(Math.min(count, 100));
      }),
      { numRuns: 100 },
    );
  });

  it("equal those of the whole text", () => {
    fc.assert(
      fc.property(longText, fc.integer({ min: 3, max: 40 }), (text, maxTokens) => {
        const { ids, truncated } = tokenizer.encode({ text }, maxTokens);
        const whole = wholeOf(text);
        expect([[...ids].slice(1, -1), truncated]).toEqual([
          whole.slice(0, maxTokens - 2),
          whole.length + 2 > maxTokens,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  it("of a pair equal those of both whole texts", () => {
    const either = fc.oneof(longText, evenText);
    fc.assert(
      fc.property(either, either, fc.integer({ min: 4, max: 40 }), (text, textPair, maxTokens) => {
        expect(truncatedTokens({ text, textPair }, maxTokens)).toEqual(truncatedWhole(text, textPair, maxTokens));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ["No! ".repeat(400), "unbelievably long story ".repeat(400), 14],
    ["unbelievably long story ".repeat(400), "No! ".repeat(400), 15],
    ["!".repeat(1500), "a ".repeat(10_000), 14],
    ["a ".repeat(10_000), "!".repeat(1500), 15],
    ["!".repeat(1500), "a ".repeat(1500), 14],
    ["a ".repeat(1500), "!".repeat(1500), 14],
    ["!".repeat(1500), "a ".repeat(1499), 15],
    ["a ".repeat(1499), "!".repeat(1500), 14],
    ["a ".repeat(6002), "a ".repeat(6001), 15],
    ["a ".repeat(6001), "a ".repeat(6002), 14],
    ["a ".repeat(6001), "!".repeat(6002), 14],
    ["!".repeat(6002), "a ".repeat(6001), 15],
  ])("of a pair are truncated by both full lengths (%#)", (text, textPair, firsts) => {
    expect(truncatedTokens({ text, textPair }, 32).map(({ length }) => length)).toEqual([firsts, 29 - firsts]);
  });
});
