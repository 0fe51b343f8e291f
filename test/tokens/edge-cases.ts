import type { TextInput } from "../../src/text/tokenizer.ts";

/** A text or pair, and the length to truncate it to. */
export interface Request extends TextInput {
  readonly maxTokens: number;
}

/** Edge cases: texts on which tokenizers differ or may differ. */
const EDGE_CASES: readonly string[] = [
  // Nothing, every kind of white space, and invisible characters
  "",
  " \t\r\n\u000b\u000c",
  "a\u0085b\u00a0c\u1680d\u2003e\u2028f\u2029g\u202fh\u205fi\u3000j",
  "zero\u200bwidth\u200cjoin\u200der\u2060word\ufeffmark",
  "soft\u00adhyphen",
  // Controls, NUL, private use, unassigned, the replacement character, lone surrogates
  "nul\u0000in\u0001the\u001bmiddle\u007f",
  "private\ue000use\u{f0000}",
  "not\u0378yet\u{1fffe}here\uffff",
  "broken \ufffd text",
  "lone \ud800 high, lone \udc00 low, \udc00\ud800 swapped",
  "rtl \u202eoverride\u202c and \u2066isolate\u2069",
  // Accents, composed and not, stacked, alone
  "Caf\u00e9 cafe\u0301 na\u00efve co\u00f6perate \u00c5ngstr\u00f6m \u212b",
  "Z\u0361a\u0327l\u0334g\u0322o\u0489",
  "\u0301\u0302 alone",
  "Ti\u1ebfng Vi\u1ec7t c\u00f3 d\u1ea5u",
  "\u0130stanbul I\u0307stanbul \u0131\u015f\u0131k D\u0130YARBAKIR",
  "\u00c6sir \u00d8re \u0141\u00f3d\u017a \u00de\u00f3r \u00dfa\u00df \u1e9e \u0152uvre \ufb01ne \ufb00",
  // Greek with a sigma at the end, capitals and not
  "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 \u03a3\u0391\u03a3 \u03bb\u03cc\u03b3\u03bf\u03c2 \u03a3",
  "\u1f08\u03b8\u1fc6\u03bd\u03b1\u03b9 \u1fb3 \u03d0\u03d1",
  // Ideographs: first and later planes, compatibility forms, radicals; kana; hangul as syllables and jamo
  "\u4e2d\u6587\u548cenglish\u6df7\u5408",
  "rare \u{20000}\u{2a6d6}x\u{2a700}y\u{2b740}z\u{2b820}w\u{2ceb0}v\u{30000}",
  "compat \uf900\u{2f800}\u{2f82b} radical \u2e80\u2f00 strokes \u31c0",
  "\u65e5\u672c\u8a9e\u306e\u30ab\u30bf\u30ab\u30ca \uff76\uff9e\uff77 \u30ac \u30ab\u3099",
  "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab\u1100\u116e\u11a8 \u3131\u314f",
  // Right-to-left scripts, scripts with marks, and recent scripts
  "\u0627\u0644\u0639\u0631\u0628\u064a\u0651\u064e\u0629\u060c \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
  "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 \u0f56\u0f7c\u0f51\u0b15\u0b55",
  "a\u1ac0b a\u07fdb a\u1e08fb \u{11438} \u{1e8d0} \u{10400}\u{10428} \ua64a",
  "\u{1f1e9}\u{1f1ea} \u{1f469}\u200d\u{1f52c} \u{1f44d}\u{1f3fd} \u2764\ufe0f \u{1f9d1}\u{1f3ff}\u200d\u{1f91d}\u200d\u{1f9d1}\u{1f3fb} 1\ufe0f\u20e3",
  "\u{1d4d0}\u{1d4ed} \uff28\uff25\uff2c\uff2c\uff2f \u24b6\u24b7 \u2160\u2171 \u00bd \u00b2 \u2122",
  // Punctuation and symbols: ASCII's, typographic, of other scripts, newer than the reference's tables
  "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
  "\u201cquotes\u201d \u2018and\u2019 \u2014 dashes\u2026 \u00abguillemets\u00bb \u00bfqu\u00e9? \u00a1s\u00ed!",
  "\u3001\u3002\u300c\u300d\uff01\uff1f\u0964 \u055e \u166d \u2e4f \u{11fff}x",
  "$5 \u20ac6 \u00a37 \u00a58 5\u00d76 7\u00f72 \u00b1 \u2260 \u2211 \u00b0C \u00a7 \u00b6 \u2191",
  "it's don't rock'n'roll o\u2019clock U.S.A. e.g. 3.14 1,000 #tag @name http://a.b/c?d=e&f a_b",
  // Special tokens in a text, exact and almost
  "[CLS] in [SEP] the [MASK] text [PAD][UNK]",
  "[cls] [ SEP ] [MASK]ed x[SEP]y ##ing",
  // Words near and above the tokenizer's maximum length
  "a".repeat(99),
  "a".repeat(100),
  "a".repeat(101),
  `e\u0301${"x".repeat(99)} ${"\u{1d4d0}".repeat(100)} ${"\u{1d4d0}".repeat(101)}`,
  `${"ab".repeat(300)} and on, ${"\u4e2d".repeat(120)}`,
  "Pneumonoultramicroscopicsilicovolcanoconiosis, antidisestablishmentarianism",
  "The quick brown fox jumps over the lazy dog. ".repeat(12),
];

/** Each edge case alone and paired with the next one, truncated a lot, a little and not at all. */
export const EDGE_CASE_REQUESTS: readonly Request[] = EDGE_CASES.flatMap((text, i) =>
  [7, 32, 256].flatMap((maxTokens): Request[] => [
    { text, maxTokens },
    { text, textPair: EDGE_CASES[(i + 1) % EDGE_CASES.length] ?? "", maxTokens },
  ]),
);
