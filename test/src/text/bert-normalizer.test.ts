import { describe, expect, it } from "vitest";
import { ReferenceNormalizer } from "../../../src/text/bert-normalizer.ts";

type Config = ConstructorParameters<typeof ReferenceNormalizer>[0];

const OFF = { type: "BertNormalizer", clean_text: false, handle_chinese_chars: false, lowercase: false };

const normalized = (text: string, config: Partial<Config>) =>
  new ReferenceNormalizer({ ...OFF, strip_accents: false, ...config } as Config).normalize(text);

describe("BERT's normalizer", () => {
  const TEXT = "Ée\u0000\u200dx\tÇ中國ΟΔΟΣ";

  it("changes nothing when every option is off", () => {
    expect(normalized(TEXT, {})).toBe(TEXT);
  });

  it.each<[string, Partial<Config>, string]>([
    ["removes control characters and turns white space into spaces", { clean_text: true }, "Éex Ç中國ΟΔΟΣ"],
    ["puts spaces around ideographs", { handle_chinese_chars: true }, "Ée\u0000\u200dx\tÇ 中  國 ΟΔΟΣ"],
    ["strips accents", { strip_accents: true }, "Ee\u0000\u200dx\tC中國ΟΔΟΣ"],
    ["lowercases, a final sigma like any other", { lowercase: true }, "ée\u0000\u200dx\tç中國οδοσ"],
  ])("%s", (_, config, expected) => {
    expect(normalized(TEXT, config)).toBe(expected);
  });

  it("strips accents when it lowercases, unless strip_accents says otherwise", () => {
    expect(normalized("É", { lowercase: true, strip_accents: null } as Partial<Config>)).toBe("e");
    expect(normalized("É", { lowercase: false, strip_accents: null } as Partial<Config>)).toBe("É");
    expect(normalized("É", { lowercase: true, strip_accents: false })).toBe("é");
    expect(normalized("É", { lowercase: false, strip_accents: true })).toBe("E");
  });
});
