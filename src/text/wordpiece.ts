import type { WordPiece } from "@huggingface/tokenizers";

/**
 * Returns a replacement for `model.encode` that gives the same pieces in less time. The library tries every end of a
 * word for every start: 64 KB of long words without pieces take it seconds. This one tries no piece that is longer than
 * the vocabulary's longest.
 *
 * @returns a function from words to pieces; a word that cannot be split becomes the unknown token
 */
export function boundedEncode(model: WordPiece): (words: string[]) => string[] {
  const { tokens_to_ids: ids, max_input_chars_per_word: longestWord } = model;
  const { unk_token: unknown = "[UNK]", continuing_subword_prefix: prefix = "##" } = model.config;
  const longestPiece = [...ids.keys()].reduce((longest, piece) => Math.max(longest, piece.length), 0);

  function split(word: string): string[] {
    if (word.length > longestWord && [...word].length > longestWord) return [unknown];
    const pieces: string[] = [];
    for (let start = 0; start < word.length; ) {
      const marker = start === 0 ? "" : prefix;
      let end = Math.min(word.length, start + longestPiece);
      // An end inside a surrogate pair is tried too; no piece has half of one.
      while (end > start && !ids.has(marker + word.slice(start, end))) end--;
      if (end === start) return [unknown];
      pieces.push(marker + word.slice(start, end));
      start = end;
    }
    return pieces;
  }

  return (words) => words.flatMap(split);
}
