import { Tokenizer as LibraryTokenizer, WordPiece } from "@huggingface/tokenizers";
import { XpeftError } from "../errors.ts";
import { ReferenceNormalizer, ReferencePreTokenizer } from "./bert-normalizer.ts";
import { pairPrefixTokens, prefixTokens, seamsBeside } from "./prefix-tokens.ts";
import { tokenizerFile } from "./tokenizer-file.ts";
import { longestFirst } from "./truncate-pair.ts";
import { boundedEncode } from "./wordpiece.ts";

/** A text to label, or a pair of texts that are read together. */
export interface TextInput {
  readonly text: string;
  readonly textPair?: string;
}

/** A text as the encoder's input. */
export interface TokenizedText {
  /** `[T]`, special tokens included */
  readonly ids: Int32Array;
  /** `[T]`, 0 for the first text, 1 for its pair */
  readonly typeIds: Int32Array;
  /** Whether the text had more tokens. */
  readonly truncated: boolean;
  /** Whether there are special tokens only. */
  readonly empty: boolean;
}

/** Turns texts into the same token ids as the Python tokenizers. */
export interface Tokenizer {
  /**
   * Returns the tokens of a text, truncated as by Python's `truncation=True, max_length=maxTokens`.
   *
   * @param maxTokens the most tokens, special tokens included
   * @throws XpeftError `invalid_row` if the special tokens leave none for the text
   */
  encode(input: TextInput, maxTokens: number): TokenizedText;
}

/**
 * Creates a tokenizer from a bundle's `tokenizer.json`. Its settings for truncation and padding are ignored: each task
 * has its length, and texts run one at a time.
 *
 * @throws XpeftError `bundle_unusable` if it is not a BERT tokenizer, the only kind that is tested against Python
 */
export function createTokenizer(tokenizerJson: Uint8Array): Tokenizer {
  const { tokenizer, postProcess, longestWord, added } = parseTokenizer(tokenizerJson);
  const tokensOf = (text: string) => tokenizer.encode(text.toWellFormed(), { add_special_tokens: false }).tokens;
  // A cut changes the last word, which has at most one piece for each character, and may cut an added token.
  const uncertain = longestWord + Math.max(longestWord, ...added.map(({ length }) => length));
  const seams = seamsBeside(added);

  const idOf = (token: string): number => {
    const id = tokenizer.token_to_id(token);
    if (id === undefined) throw unusable(`The tokenizer has no id for its own token ${token}.`);
    return id;
  };
  const specials = { single: postProcess([], null).tokens.length, pair: postProcess([], []).tokens.length };

  /** @param total number of tokens before truncation, without special tokens */
  function toTokenizedText(
    { tokens, token_type_ids }: ReturnType<typeof postProcess>,
    total: number,
    budget: number,
  ): TokenizedText {
    return {
      ids: Int32Array.from(tokens, idOf),
      typeIds: Int32Array.from(token_type_ids ?? []),
      truncated: total > budget,
      empty: total === 0,
    };
  }

  return {
    encode({ text, textPair }, maxTokens) {
      const budget = maxTokens - (textPair === undefined ? specials.single : specials.pair);
      if (budget < 1) {
        throw new XpeftError("invalid_row", `A limit of ${maxTokens} tokens leaves none for the text.`, {
          reason: "training",
        });
      }
      const wanted = budget + 1;
      if (textPair === undefined) {
        const { tokens } = prefixTokens(text, wanted, uncertain, tokensOf);
        return toTokenizedText(postProcess(tokens.slice(0, budget), null), tokens.length, budget);
      }
      const { tokens, lengths } = pairPrefixTokens([text, textPair], wanted, uncertain, tokensOf, seams);
      const [keepFirst, keepSecond] = longestFirst(lengths, budget);
      const truncated = postProcess(tokens[0].slice(0, keepFirst), tokens[1].slice(0, keepSecond));
      return toTokenizedText(truncated, lengths[0] + lengths[1], budget);
    },
  };
}

function parseTokenizer(tokenizerJson: Uint8Array) {
  const parsed = tokenizerFile.safeParse(parseJson(tokenizerJson));
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the whole"}: ${message}`);
    throw unusable(`tokenizer.json is not a BERT tokenizer that this engine can read: ${faults.join("; ")}.`);
  }
  const { data: json } = parsed;
  const tokenizer = new LibraryTokenizer(json, {});
  const { model, normalizer, post_processor: postProcess } = tokenizer;
  if (!(model instanceof WordPiece) || normalizer === null || postProcess === null) {
    throw unusable("tokenizer.json is not complete.");
  }
  // The library returns these tokens as it finds them: in normalized text.
  for (const { content, id, normalized } of tokenizer.get_added_tokens_decoder().values()) {
    if (normalized) model.tokens_to_ids.set(normalizer.normalize(content), id);
  }
  tokenizer.normalizer = new ReferenceNormalizer(json.normalizer);
  tokenizer.pre_tokenizer = new ReferencePreTokenizer();
  model.encode = boundedEncode(model);
  const added = json.added_tokens.map(({ content }) => content);
  return { tokenizer, postProcess, longestWord: model.max_input_chars_per_word, added };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw unusable("tokenizer.json is not JSON.", cause);
  }
}

function unusable(message: string, cause?: unknown): XpeftError {
  return new XpeftError("bundle_unusable", message, { reason: "tokenizer", cause });
}
