import { WordPiece } from "@huggingface/tokenizers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { boundedEncode } from "../../../src/text/wordpiece.ts";

const PIECES = ["[UNK]", "a", "b", "ab", "aba", "##a", "##b", "##bb", "##abab", "##\u{1d4d0}", "\u{1d4d0}a"];

const model = () =>
  new WordPiece({
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 9,
    vocab: Object.fromEntries(PIECES.map((piece, id) => [piece, id])),
  });

it("splits every word like the library", () => {
  const letters = fc.constantFrom("a", "b", "c", "\u{1d4d0}");
  const words = fc.array(fc.array(letters, { minLength: 1, maxLength: 12 }).map((word) => word.join("")));
  const library = model();
  const bounded = boundedEncode(model());
  fc.assert(
    fc.property(words, (drawn) => {
      expect(bounded(drawn)).toEqual(library.encode(drawn));
    }),
  );
});
