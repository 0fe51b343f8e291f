import type { TokenizedText } from "./tokenizer.ts";

/** Returns a key that equal texts share: their tokens, which are all that the encoder reads. */
export const textKey = ({ ids, typeIds }: Pick<TokenizedText, "ids" | "typeIds">): string =>
  `${ids.join()} ${typeIds.join()}`;
