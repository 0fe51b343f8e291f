import { BertNormalizer, BertPreTokenizer } from "@huggingface/tokenizers";
import { ACCENT, DROPPED, IDEOGRAPH, WHITE_SPACE, WORD } from "./unicode.ts";

/**
 * BERT's normalizer with the steps and character tables of the Python tokenizers. The library's normalizer differs: it
 * lower-cases before it strips accents, treats a final sigma, and searches UTF-16 units for ideographs.
 */
export class ReferenceNormalizer extends BertNormalizer {
  override normalize(text: string): string {
    const { clean_text, handle_chinese_chars, lowercase, strip_accents } = this.config;
    let result = text;
    if (clean_text) result = result.replace(DROPPED, "").replace(WHITE_SPACE, " ");
    if (handle_chinese_chars) result = result.replace(IDEOGRAPH, " $& ");
    if (strip_accents ?? lowercase) result = this.strip_accents(result);
    // JavaScript lower-cases a sigma at a word's end to ς; the reference lower-cases each character by itself.
    if (lowercase) result = result.replaceAll("Σ", "σ").toLowerCase();
    return result;
  }

  override strip_accents(text: string): string {
    return text.normalize("NFD").replace(ACCENT, "");
  }
}

/** BERT's pre-tokenizer with the punctuation of the Python tokenizers. */
export class ReferencePreTokenizer extends BertPreTokenizer {
  override pattern = WORD;
}
