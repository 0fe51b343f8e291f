/** Characters of the first attempt for each token; texts have about four. */
const CHARACTERS_A_TOKEN = 8;

/** The first tokens of a text. */
interface Prefix {
  readonly tokens: string[];
  /** Whether the text has no other tokens. */
  readonly complete: boolean;
}

/**
 * Returns the first tokens of a text without tokenizing the rest. A text may be hundreds of times longer than the
 * encoder's input, and its tokens take many times its memory.
 *
 * @param wanted how many tokens are enough
 * @param uncertain how many tokens at the end of a prefix may change when the text continues
 * @param tokensOf tokenizes a text
 * @returns `wanted` tokens or more, or all tokens of the text
 */
export function prefixTokens(
  text: string,
  wanted: number,
  uncertain: number,
  tokensOf: (text: string) => string[],
): Prefix {
  for (let length = CHARACTERS_A_TOKEN * (wanted + uncertain); length < text.length; length *= 2) {
    const tokens = tokensOf(text.slice(0, length));
    const certain = tokens.length - uncertain;
    if (certain >= wanted) return { tokens: tokens.slice(0, certain), complete: false };
  }
  return { tokens: tokensOf(text), complete: true };
}

/** Characters that are counted at a time: few enough that their tokens need little memory. */
const CHARACTERS_A_COUNT = 8192;

/** ASCII white space, and ASCII punctuation, of which each character is a token by itself. */
const SEAMS = " \t\r\n!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/**
 * Returns the characters after which splitting a text does not change its tokens: white space and punctuation that are
 * in no added token.
 *
 * @param added the tokens that a tokenizer finds before it splits words, such as `[SEP]`
 */
export function seamsBeside(added: readonly string[]): ReadonlySet<string> {
  return new Set([...SEAMS].filter((character) => !added.some((token) => token.includes(character))));
}

/** Returns the end of the part that begins at `from`: its last seam, or else the first seam after it. */
function partEnd(text: string, from: number, seams: ReadonlySet<string>): number {
  const limit = from + CHARACTERS_A_COUNT;
  if (limit >= text.length) return text.length;
  for (let end = limit; end > from; end--) if (seams.has(text.charAt(end - 1))) return end;
  for (let end = limit; end < text.length; end++) if (seams.has(text.charAt(end))) return end + 1;
  return text.length;
}

/**
 * Counts a text's tokens part by part, so that no list of all tokens is made.
 *
 * @param seams what {@link seamsBeside} returns
 * @returns how many there are; counting stops at `enough`
 */
export function countTokens(
  text: string,
  enough: number,
  tokensOf: (text: string) => string[],
  seams: ReadonlySet<string>,
): number {
  let count = 0;
  for (let from = 0; from < text.length && count < enough; ) {
    const end = partEnd(text, from, seams);
    count += tokensOf(text.slice(from, end)).length;
    from = end;
  }
  return count;
}

/** The first tokens of two texts, and how many tokens the texts have. */
interface PairPrefixes {
  /** For each text, as many tokens as are wanted or more, or all of them. */
  readonly tokens: [string[], string[]];
  /** For each text, its number of tokens or a smaller one; which text is longer always shows. */
  readonly lengths: [number, number];
}

/**
 * Returns the first tokens of two texts, and which text has more tokens in all: truncation gives it the odd token. The
 * lengths of the prefixes do not tell this where both are cut.
 */
export function pairPrefixTokens(
  texts: readonly [string, string],
  wanted: number,
  uncertain: number,
  tokensOf: (text: string) => string[],
  seams: ReadonlySet<string>,
): PairPrefixes {
  const [first, second] = [
    prefixTokens(texts[0], wanted, uncertain, tokensOf),
    prefixTokens(texts[1], wanted, uncertain, tokensOf),
  ];
  const tokens: [string[], string[]] = [first.tokens, second.tokens];
  let [firstLength, secondLength] = [first.tokens.length, second.tokens.length];
  if (!first.complete && !second.complete) {
    // One of them must be counted to its end; the one with fewer characters takes less time.
    if (texts[0].length < texts[1].length)
      firstLength = countTokens(texts[0], Number.POSITIVE_INFINITY, tokensOf, seams);
    else secondLength = countTokens(texts[1], Number.POSITIVE_INFINITY, tokensOf, seams);
  }
  // For the other one, one token more is enough.
  if (!first.complete && firstLength <= secondLength)
    firstLength = countTokens(texts[0], secondLength + 1, tokensOf, seams);
  if (!second.complete && secondLength <= firstLength)
    secondLength = countTokens(texts[1], firstLength + 1, tokensOf, seams);
  return { tokens, lengths: [firstLength, secondLength] };
}
