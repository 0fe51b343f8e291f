import { readFileSync } from "node:fs";
import { DEFAULT_TOKENIZER } from "./reference.ts";

const NAMES = new Map([
  ["[CLS]", "<s>"],
  ["[SEP]", "</s>"],
  ["[PAD]", "<pad>"],
  ["[MASK]", "<mask>"],
]);

/** Returns the default bundle's tokenizer with MPNet's special tokens, as a bundle of an MPNet has it. */
export function mpnetTokenizer(): string {
  const json = JSON.parse(readFileSync(DEFAULT_TOKENIZER, "utf8"));
  const rename = (token: string) => NAMES.get(token) ?? token;
  const vocab = Object.fromEntries(
    Object.entries<number>(json.model.vocab).map(([token, id]) => [rename(token), id] as const),
  );
  const special = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const known = (token: string) => ({ id: token, ids: [vocab[token]], tokens: [token] });
  return JSON.stringify({
    ...json,
    model: { ...json.model, vocab },
    added_tokens: json.added_tokens.map((added: { content: string }) => {
      const content = rename(added.content);
      return { ...added, content, lstrip: content === "<mask>" };
    }),
    post_processor: {
      type: "TemplateProcessing",
      single: [special("<s>"), text("A"), special("</s>")],
      pair: [special("<s>"), text("A"), special("</s>"), special("</s>"), text("B"), special("</s>")],
      special_tokens: { "<s>": known("<s>"), "</s>": known("</s>") },
    },
  });
}
