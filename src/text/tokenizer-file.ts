import * as z from "zod";

// The encoder has embeddings of two types.
const type = z.union([z.literal(0), z.literal(1)]);

const piece = z.union([
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string(), type_id: type }) }),
  z.strictObject({ Sequence: z.looseObject({ id: z.enum(["A", "B"]), type_id: type }) }),
]);

type Piece = z.infer<typeof piece>;

/** Returns whether a template has the texts in their order, each once. */
function hasTexts(pieces: readonly Piece[], texts: string): boolean {
  return pieces.map((one) => ("Sequence" in one ? one.Sequence.id : "")).join("") === texts;
}

/** An object of any size, whose values are not checked: a vocabulary has tens of thousands. */
const vocabulary = z.custom<Record<string, number>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "is no vocabulary",
);

const parts = z.looseObject({
  normalizer: z.object({
    type: z.literal("BertNormalizer"),
    clean_text: z.boolean(),
    handle_chinese_chars: z.boolean(),
    // null and absent both mean: the value of `lowercase`.
    strip_accents: z
      .boolean()
      .nullish()
      .transform((strip) => strip ?? undefined),
    lowercase: z.boolean(),
  }),
  pre_tokenizer: z.object({ type: z.literal("BertPreTokenizer") }),
  post_processor: z.looseObject({
    type: z.literal("TemplateProcessing"),
    single: z.array(piece).refine((pieces) => hasTexts(pieces, "A"), "has other texts than A"),
    pair: z.array(piece).refine((pieces) => hasTexts(pieces, "AB"), "has other texts than A and B"),
    special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.int().min(0)) })),
  }),
  model: z.looseObject({
    type: z.literal("WordPiece"),
    vocab: vocabulary,
    unk_token: z.string(),
    continuing_subword_prefix: z.string(),
    max_input_chars_per_word: z.int().min(1),
  }),
  added_tokens: z.array(
    // The library ignores `single_word`.
    z.looseObject({ content: z.string().min(1), id: z.int().min(0), single_word: z.literal(false).optional() }),
  ),
});

type TokenizerFile = z.infer<typeof parts>;

function idOf({ model, added_tokens }: TokenizerFile, token: string): number | undefined {
  return added_tokens.find(({ content }) => content === token)?.id ?? model.vocab[token];
}

/** Returns whether each special token of the templates is one token, with the id that the vocabulary has for it. */
function hasSpecialTokens(file: TokenizerFile): boolean {
  const { single, pair, special_tokens: known } = file.post_processor;
  return [...single, ...pair].every((one) => {
    if ("Sequence" in one) return true;
    const { id: token } = one.SpecialToken;
    const ids = known[token]?.ids;
    return ids?.length === 1 && ids[0] === idOf(file, token);
  });
}

/**
 * `tokenizer.json` of the tokenizers that this engine reads exactly as Python does. `tokenizer_rules.py` of the training
 * package has the same rules, and both halves' tests read test/fixtures/tokenizer-rules.json.
 */
export const tokenizerFile = parts
  .refine((file) => idOf(file, file.model.unk_token) !== undefined, {
    path: ["model", "unk_token"],
    error: "has no id",
  })
  .refine(hasSpecialTokens, { path: ["post_processor", "special_tokens"], error: "have other ids in the vocabulary" });
