import type { WordPiece } from "@huggingface/tokenizers";

/**
 * WordPiece's greedy split with the same pieces as the library's own, which tries every end of a word for every start:
 * 64 KB of long words that no piece fits take that one seconds. No piece is longer than the vocabulary's longest, so
 * that nothing beyond needs to be tried.
 *
 * @returns a stand-in for `model.encode`: words to pieces, the unknown token for a word that cannot be split
 */
export function boundedEncode(model: WordPiece): (words: string[]) => string[] {
  const { tokens_to_ids: ids, max_input_chars_per_word: longestWord } = model;
  const { unk_token: unknown = "[UNK]", continuing_subword_prefix: prefix = "##" } = model.config;
  const longestPiece = [...ids.keys()].reduce((longest, piece) => Math.max(longest, piece.length), 0);

  function split(word: string): string[] {
    if (word.length > longestWord && [...word].length > longestWord) return [unknown];
    const pieces: string[] = [];
    for (let start = 0; start < word.length; ) {
      const lead = start === 0 ? "" : prefix;
      let end = Math.min(word.length, start + longestPiece);
      // An end inside a surrogate pair is tried too; no piece has half of one.
      while (end > start && !ids.has(lead + word.slice(start, end))) end--;
      if (end === start) return [unknown];
      pieces.push(lead + word.slice(start, end));
      start = end;
    }
    return pieces;
  }

  return (words) => words.flatMap(split);
}
