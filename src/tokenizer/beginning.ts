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
export function beginningOf(
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

/**
 * Tokens at the beginnings of two texts, enough of them to say which text has more to its end: the odd token depends on
 * that. A beginning's own length does not say it where the other text, read whole, has as many tokens.
 *
 * @returns for each text `wanted` tokens or more, or all that it has; the longer list is the longer text's, and lists of
 * the same length are of texts of the same length
 */
export function beginningsOf(
  texts: readonly [string, string],
  wanted: number,
  doubt: number,
  tokensOf: (text: string) => string[],
): [string[], string[]] {
  const split = (text: string, atLeast: number) => beginningOf(text, atLeast, doubt, tokensOf);
  let [first, second] = [split(texts[0], wanted), split(texts[1], wanted)];
  if (!first.whole && !second.whole) {
    // One of them must be read to its end; the one with fewer characters costs less.
    if (texts[0].length < texts[1].length) first = split(texts[0], Number.POSITIVE_INFINITY);
    else second = split(texts[1], Number.POSITIVE_INFINITY);
  }
  // Of the other, one token more than that is enough.
  if (!first.whole && first.tokens.length <= second.tokens.length) first = split(texts[0], second.tokens.length + 1);
  if (!second.whole && second.tokens.length <= first.tokens.length) second = split(texts[1], first.tokens.length + 1);
  return [first.tokens, second.tokens];
}
