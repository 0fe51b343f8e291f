/** What a beginning is first tried with; texts have some four characters a token. */
const CHARACTERS_A_TOKEN = 8;

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
): { tokens: string[]; whole: boolean } {
  for (let length = CHARACTERS_A_TOKEN * (wanted + doubt); length < text.length; length *= 2) {
    const tokens = tokensOf(text.slice(0, length));
    const sure = tokens.length - doubt;
    if (sure >= wanted) return { tokens: tokens.slice(0, sure), whole: false };
  }
  return { tokens: tokensOf(text), whole: true };
}
