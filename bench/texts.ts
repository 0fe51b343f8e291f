/** Words that the default bundle's tokenizer keeps whole. */
const WORDS = ["river", "stone", "market", "winter", "signal", "garden", "paper", "engine"];

/** A text of so many tokens, the two special ones included. */
export function textOf(tokens: number): string {
  return Array.from({ length: tokens - 2 }, (_, place) => WORDS[place % WORDS.length]).join(" ");
}
