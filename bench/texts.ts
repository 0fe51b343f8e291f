/** Words that are one token each for the default bundle's tokenizer. */
const WORDS = ["river", "stone", "market", "winter", "signal", "garden", "paper", "engine"];

/** Returns a text of that many tokens, including the two special ones. The same number gives the same text. */
export function textOf(tokens: number, number = 0): string {
  return Array.from({ length: tokens - 2 }, (_, index) => {
    const digit = Math.floor(number / WORDS.length ** index) % WORDS.length;
    return WORDS[(index + digit) % WORDS.length];
  }).join(" ");
}

let made = 0;

/**
 * Returns a text that this process has not made before, if there are so many of this length: the Worker reads it anew.
 */
export const newText = (tokens: number): string => textOf(tokens, ++made);

/** Returns different new texts. */
export const newTexts = (count: number, tokens: number): string[] =>
  Array.from({ length: count }, () => newText(tokens));
