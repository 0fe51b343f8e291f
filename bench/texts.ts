/** Words that are one token each for the default bundle's tokenizer. */
const WORDS = ["river", "stone", "market", "winter", "signal", "garden", "paper", "engine"];

/** Returns a text of that many tokens, including the two special ones. */
export function textOf(tokens: number): string {
  return Array.from({ length: tokens - 2 }, (_, index) => WORDS[index % WORDS.length]).join(" ");
}
