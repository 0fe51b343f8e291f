/** What a beginning is first tried with; texts have some four characters a token. */
const CHARACTERS_A_TOKEN = 8;

/** What has been split of a text. */
interface Beginning {
  readonly tokens: string[];
  /** Whether these are all that the text has. */
  readonly whole: boolean;
}

/**
 * Tokens at a text's beginning, without splitting a rest that is not read anyway: a text may be hundreds of times longer
 * than the encoder takes, and its tokens many times larger than itself.
 *
 * @param wanted tokens that are enough
 * @param doubt the most tokens at a beginning's end that could be others were the text not broken off there
 * @param tokensOf splits a text
 * @returns `wanted` tokens or more, or all that the whole text has
 */
export function prefixTokens(
  text: string,
  wanted: number,
  doubt: number,
  tokensOf: (text: string) => string[],
): Beginning {
  for (let length = CHARACTERS_A_TOKEN * (wanted + doubt); length < text.length; length *= 2) {
    const tokens = tokensOf(text.slice(0, length));
    const sure = tokens.length - doubt;
    if (sure >= wanted) return { tokens: tokens.slice(0, sure), whole: false };
  }
  return { tokens: tokensOf(text), whole: true };
}

/** Characters that are counted at a time: few enough that their tokens are no matter for memory. */
const CHARACTERS_A_COUNT = 8192;

/**
 * Where a text can be taken apart without changing its tokens: after ASCII white space, or after ASCII punctuation that is a token of
 * its own and in no special token.
 */
const SEAM = /[ \t\r\n!"#$%&'()*+,./:;<=>?@^`{|}~]/g;

/** The end of the part that begins at `from`: the last seam within it, else the first one after it. */
function partEnd(text: string, from: number): number {
  const most = from + CHARACTERS_A_COUNT;
  if (most >= text.length) return text.length;
  let last = -1;
  for (const { index } of text.slice(from, most).matchAll(SEAM)) last = index;
  if (last >= 0) return from + last + 1;
  SEAM.lastIndex = most;
  const next = SEAM.exec(text);
  SEAM.lastIndex = 0;
  return next ? next.index + 1 : text.length;
}

/**
 * Counts a text's tokens part by part, none of which is kept.
 *
 * @returns how many there are; where there are `enough`, that many or more
 */
export function countTokens(text: string, enough: number, tokensOf: (text: string) => string[]): number {
  let count = 0;
  for (let from = 0; from < text.length && count < enough; ) {
    const end = partEnd(text, from);
    count += tokensOf(text.slice(from, end)).length;
    from = end;
  }
  return count;
}

/** What two texts begin with, and how long they are. */
interface Beginnings {
  /** For each text as many tokens as are wanted or more, or all that it has. */
  readonly tokens: [string[], string[]];
  /** Each text's tokens, or as many as the list has at least; they are in the order of those of the whole texts. */
  readonly lengths: [number, number];
}

/**
 * Tokens at the beginnings of two texts, and which text has more to its end: the odd token depends on that. A beginning's
 * own length does not say it where the other text has as many tokens.
 */
export function pairPrefixTokens(
  texts: readonly [string, string],
  wanted: number,
  doubt: number,
  tokensOf: (text: string) => string[],
): Beginnings {
  const [first, second] = [
    prefixTokens(texts[0], wanted, doubt, tokensOf),
    prefixTokens(texts[1], wanted, doubt, tokensOf),
  ];
  const tokens: [string[], string[]] = [first.tokens, second.tokens];
  let [one, two] = [first.tokens.length, second.tokens.length];
  if (!first.whole && !second.whole) {
    // One of them must be counted to its end; the one with fewer characters takes less time.
    if (texts[0].length < texts[1].length) one = countTokens(texts[0], Number.POSITIVE_INFINITY, tokensOf);
    else two = countTokens(texts[1], Number.POSITIVE_INFINITY, tokensOf);
  }
  // Of the other, one token more than that is enough.
  if (!first.whole && one <= two) one = countTokens(texts[0], two + 1, tokensOf);
  if (!second.whole && two <= one) two = countTokens(texts[1], one + 1, tokensOf);
  return { tokens, lengths: [one, two] };
}
