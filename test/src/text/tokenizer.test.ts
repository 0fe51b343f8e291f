import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../../src/text/tokenizer.ts";
import rules from "../../fixtures/tokenizer-rules.json" with { type: "json" };
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

  it("reads the id of an added token that is found in normalized text", async () => {
    const file = await fileWith((json) => {
      Object.assign(json, {
        added_tokens: [
          ...Object.values(json.added_tokens ?? {}),
          { id: 40_000, content: "ACME", single_word: false, lstrip: false, rstrip: false, normalized: true },
        ],
      });
    });
    expect([...createTokenizer(file).encode({ text: "from Acme" }, 8).ids]).toEqual([101, 2013, 40_000, 102]);
  });

  it("says what is not JSON", () => {
    expect(() => createTokenizer(new TextEncoder().encode("{"))).toThrow("tokenizer.json is not JSON.");
  });

  it.each(rules.map(({ name, set, fault }) => [name, set, fault] as const))("judges %s", async (_, set, fault) => {
    const file = await fileWith((json) => {
      // The special tokens have the smallest ids. A large vocabulary takes time to read.
      const { vocab } = json.model as { vocab: Record<string, number> };
      Object.assign(json.model ?? {}, {
        vocab: Object.fromEntries(Object.entries(vocab).filter(([, id]) => id < 1000)),
      });
      for (const [path, value] of Object.entries(set)) {
        const keys = path.split("/");
        const last = keys.pop() ?? "";
        const parent = keys.reduce<Record<string, unknown>>((part, key) => part[key] as Record<string, unknown>, json);
        parent[last] = value;
      }
    });
    if (fault === null) expect(() => createTokenizer(file)).not.toThrow();
    else {
      expect(() => createTokenizer(file)).toThrow(errorWithCode("bundle_unusable"));
      expect(() => createTokenizer(file)).toThrow(`can read: ${fault}`);
    }
  });
});
