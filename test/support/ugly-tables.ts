import { gzipSync } from "node:zlib";
import fc from "fast-check";

/** A file as people make them, with the faults that they have. */
export interface UglyTable {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What has a meaning in a table, or had one for a reader. */
const letters = fc.constantFrom(
  ..."ab15é😀",
  ...'"""',
  ...",;\t|=",
  ..." \n\r\r\n",
  ..."\u2028\u2029\u0085\u000b\u000c\u001c\u0000\u00a0\ufeff\u200b\\'",
);
const cell = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a text", "b", "1", "", " ", "two\nlines", 'a "b" c', "x,y;z") },
  fc.array(letters, { maxLength: 6 }).map((parts) => parts.join("")),
);

/** Ways to write a cell; some are wrong for some cells. */
const written = fc.tuple(cell, fc.nat(6)).map(([text, way]) => {
  if (way < 3) return /[",;\t\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  return [`"${text.replaceAll('"', '""')}"`, ` "${text.replaceAll('"', '""')}"`, `"${text}"`, text][way - 3] ?? text;
});

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("text", "label") },
  { weight: 2, arbitrary: fc.constantFrom("Text", "LABEL", " text ", '"label"', "profile", "text_pair", "id", "") },
  { weight: 1, arbitrary: written },
);
const header = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(["text", "label"], ["id", "Text", "label", ""], ["", "label", "text"]) },
  fc.array(name, { minLength: 1, maxLength: 4 }),
);

const row = (width: number) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.array(written, { minLength: width, maxLength: width }) },
    { weight: 1, arbitrary: fc.array(written, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.constantFrom([], ["", "", ""], [" "]) },
  );

const separated = fc
  .tuple(header, fc.constantFrom(",", ",", ",", ";", "\t", "|"), fc.constantFrom("\n", "\n", "\r\n", "\r"), fc.nat(12))
  .chain(([names, separator, lineEnd, way]) =>
    fc
      .array(fc.oneof({ weight: 20, arbitrary: row(names.length) }, fc.constant(names)), { maxLength: 6 })
      .map((rows) => {
        const lines = [names, ...rows].map((cells) => cells.join(separator));
        if (way === 0) lines.unshift(`sep=${separator}`);
        if (way === 1) lines.unshift("");
        return lines.join(lineEnd) + (way % 2 ? lineEnd : "");
      }),
  );

const json = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ text: cell, label: fc.oneof(cell, fc.nat(), fc.constant(null)), profile: cell }),
      },
      fc.record({ Text: cell }),
      fc.constantFrom([{ text: "a" }], 1, "a"),
    ),
    { maxLength: 5 },
  )
  .chain((values) =>
    fc
      .constantFrom("\n", "\r\n", "\n\n", "\r", "\n \n")
      .map((lineEnd) => values.map((value) => JSON.stringify(value)).join(lineEnd)),
  );

/** Ways to turn text into bytes; most are UTF-8. */
function encode(text: string, way: number): Buffer {
  if (way === 0) return Buffer.from(text, "latin1");
  if (way === 1) return Buffer.from(`\ufeff${text}`, "utf16le");
  if (way === 2) return Buffer.from(text, "utf16le");
  if (way < 6) return Buffer.from(`\ufeff${text}`);
  return Buffer.from(text);
}

/** Tables of every kind that people bring, right and wrong. */
export const uglyTables: fc.Arbitrary<UglyTable> = fc
  .tuple(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ text: separated, file: fc.constantFrom("a.csv", "a.tsv", "a.CSV.gz", "a.txt") }),
      },
      { weight: 1, arbitrary: fc.record({ text: json, file: fc.constantFrom("a.jsonl", "a.ndjson.gz", "a.json") }) },
    ),
    fc.nat(30),
    fc.nat(20),
    fc.nat(1000),
  )
  .map(([{ text, file }, encoding, packing, at]) => {
    const plain = encode(text, encoding);
    if (packing === 0) return { file, bytes: gzipSync(plain).subarray(0, at) };
    if (packing < 4) return { file, bytes: gzipSync(plain) };
    // A byte that is damaged.
    if (packing === 4 && plain.length > 0) plain[at % plain.length] = at % 256;
    return { file, bytes: plain };
  });
