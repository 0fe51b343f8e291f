import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../src/tokenizer.ts";
import { named } from "../support/errors.ts";
import { readBundle } from "../support/folder.ts";

describe("createTokenizer", () => {
  it.each([
    ["is no JSON", () => "{"],
    ["has another normalizer", (json: string) => json.replace('"BertNormalizer"', '"NFC"')],
    ["has another pre-tokenizer", (json: string) => json.replace('"BertPreTokenizer"', '"Whitespace"')],
    ["has another model", (json: string) => json.replace('"WordPiece","unk_token"', '"BPE","unk_token"')],
    ["has another post-processor", (json: string) => json.replace('"TemplateProcessing"', '"ByteLevel"')],
  ])("refuses a file that %s", async (_, change) => {
    const good = (await readBundle("tokenizer.json")) ?? new Uint8Array();
    expect(() => createTokenizer(good)).not.toThrow();
    const changed = new TextEncoder().encode(change(new TextDecoder().decode(good)));
    expect(changed).not.toEqual(good);
    expect(() => createTokenizer(changed)).toThrow(named("bundle_unusable"));
  });
});
