import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../../src/text/tokenizer.ts";
import { readBundleFile } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";

/** Returns the default bundle's tokenizer file with changed fields. */
async function fileWith(change: (json: Record<string, Record<string, unknown>>) => void = () => {}) {
  const json = JSON.parse(new TextDecoder().decode((await readBundleFile("tokenizer.json")) ?? new Uint8Array()));
  change(json);
  return new TextEncoder().encode(JSON.stringify(json));
}

describe("createTokenizer", () => {
  it("returns a text's ids between the special tokens, truncated to the maximum", async () => {
    const tokenizer = createTokenizer(await fileWith());
    const whole = tokenizer.encode({ text: "Rain fills the pond." }, 7);
    expect(whole).toEqual({
      ids: Int32Array.of(101, 4542, 17469, 1996, 8644, 1012, 102),
      typeIds: new Int32Array(7),
      truncated: false,
      empty: false,
    });
    const cut = tokenizer.encode({ text: "Rain fills the pond." }, 6);
    expect(cut).toMatchObject({ ids: Int32Array.of(101, 4542, 17469, 1996, 8644, 102), truncated: true });
    const pair = tokenizer.encode({ text: "Rain", textPair: "the pond." }, 6);
    expect(pair.ids).toEqual(Int32Array.of(101, 4542, 102, 1996, 8644, 102));
    expect(pair.typeIds).toEqual(Int32Array.of(0, 0, 0, 1, 1, 1));
    expect(tokenizer.encode({ text: " " }, 6)).toMatchObject({ empty: true, truncated: false });
    expect(() => tokenizer.encode({ text: "a" }, 2)).toThrow(errorWithCode("invalid_row"));
    expect(() => tokenizer.encode({ text: "a", textPair: "b" }, 3)).toThrow("3 tokens leaves none for the text");
  });

  it("reads a text's prefix up to a word that the cut cannot have changed", async () => {
    // A word of more than 100 characters is unknown. If the prefix cut it, it would be split into pieces.
    const word = "x".repeat(101);
    const tokenizer = createTokenizer(await fileWith());
    for (const blanks of [0, 40, 1500, 1550, 1600, 1650]) {
      const text = `a${" ".repeat(blanks)} ${word} b c d ${"e ".repeat(3000)}`;
      const [few, all] = [8, 5000].map((most) => tokenizer.encode({ text }, most).ids);
      expect(few?.subarray(0, -1)).toEqual(all?.subarray(0, 7));
    }
  });

  it.each([
    [{ strip_accents: null, lowercase: true }, "e"],
    [{ strip_accents: false, lowercase: true }, "é"],
    [{ strip_accents: true, lowercase: false }, "E"],
    [{ lowercase: false }, "É"],
  ])("strips accents as the file says, by default when it lowercases: %j", async (fields, read) => {
    const file = await fileWith((json) => {
      const { strip_accents: _, ...others } = json.normalizer ?? {};
      json.normalizer = { ...others, ...fields };
      const { vocab } = json.model as { vocab: Record<string, number> };
      for (const [place, letter] of ["e", "é", "E", "É"].entries()) vocab[letter] = 40_000 + place;
    });
    const { ids } = createTokenizer(file).encode({ text: "É" }, 3);
    expect(ids[1]).toBe(40_000 + ["e", "é", "E", "É"].indexOf(read));
  });

  it("reports a special token that has no id", async () => {
    const file = await fileWith((json) => {
      const { vocab } = json.model as { vocab: Record<string, number> };
      delete vocab["[UNK]"];
      Object.assign(json, { added_tokens: [] });
    });
    const tokenizer = createTokenizer(file);
    expect(() => tokenizer.encode({ text: "\u{1f9e9}" }, 8)).toThrow(errorWithCode("bundle_unusable"));
    expect(() => tokenizer.encode({ text: "\u{1f9e9}" }, 8)).toThrow("no id for its own token [UNK]");
  });

  it.each([
    ["is not JSON", () => "{"],
    ["has another normalizer", (json: string) => json.replace('"BertNormalizer"', '"NFC"')],
    ["has another pre-tokenizer", (json: string) => json.replace('"BertPreTokenizer"', '"Whitespace"')],
    ["has another model", (json: string) => json.replace('"WordPiece","unk_token"', '"BPE","unk_token"')],
    ["has another post-processor", (json: string) => json.replace('"TemplateProcessing"', '"ByteLevel"')],
  ])("rejects a file that %s", async (_, change) => {
    const good = (await readBundleFile("tokenizer.json")) ?? new Uint8Array();
    expect(() => createTokenizer(good)).not.toThrow();
    const changed = new TextEncoder().encode(change(new TextDecoder().decode(good)));
    expect(changed).not.toEqual(good);
    expect(() => createTokenizer(changed)).toThrow(errorWithCode("bundle_unusable"));
  });
});
