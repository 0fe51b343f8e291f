import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readExamples } from "../../../cli/learn/examples.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";

let folder: string;

beforeEach(async () => {
  folder = await makeTempFolder("xpeft-examples-");
});
afterEach(() => removeTempFolder(folder));

async function read(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  await writeFile(path, content);
  return await readExamples(path);
}

describe("examples in CSV", () => {
  it("accepts quoted commas and line breaks and a byte order mark, and tracks each row's first line", async () => {
    const text = [
      "\uFEFFlabel,text",
      'low,"The ""old"" river, again"',
      "",
      'high,"An engine\nof two lines"',
      "low, a pond",
      "",
    ];
    const wanted = [
      { line: 2, profile: null, label: "low", input: { text: 'The "old" river, again' } },
      { line: 4, profile: null, label: "high", input: { text: "An engine\nof two lines" } },
      { line: 6, profile: null, label: "low", input: { text: " a pond" } },
    ];
    expect(await read("a.csv", text.join("\n"))).toEqual(wanted);
    expect(await read("a.csv", text.join("\n").replaceAll("\n", "\r\n"))).toEqual(wanted);
    expect(await read("a.csv.gz", gzipSync(text.join("\n")))).toEqual(wanted);
  });

  it("accepts other separators, names in capitals, and columns that it does not need", async () => {
    const wanted = [
      { line: 2, profile: null, label: "3", input: { text: 'My 5" screen, cracked' } },
      { line: 4, profile: null, label: "1", input: { text: "The parcel" } },
    ];
    expect(await read("a.csv", 'id;Text;LABEL;;\n7;My 5" screen, cracked;3;;\n;;\n8;The parcel;1\n')).toEqual(wanted);
    expect(await read("a.tsv", 'Text\tLABEL\nMy 5" screen, cracked\t3\n\t\nThe parcel\t1\n')).toEqual(wanted);
  });

  it("accepts an optional second text and profile", async () => {
    expect(await read("a.csv", "text,text_pair,label,profile\na,b,1, me\nc,,2,\n")).toEqual([
      { line: 2, profile: "me", label: "1", input: { text: "a", textPair: "b" } },
      { line: 3, profile: null, label: "2", input: { text: "c" } },
    ]);
  });

  it.each([
    ["an empty file", "", /a\.csv has no examples/],
    ["a header alone", "text,label\n", /a\.csv has no examples/],
    ["a column that is not there", "text,labels\na,1\n", /a\.csv:1: there is no column "label" among "text", "labels"/],
    ["a column that is there twice", "text,label,text\na,1,b\n", /a\.csv:1: 2 columns are named "text"/],
    ["a field too many", "text,label\na,1\nb, c,2\n", /a\.csv:3: it has 3 fields/],
    ["a quote that is not closed", 'text,label\na,1\n"b,2\nc,1\n', /a\.csv:3: the quote that opens here/],
    ["a column of the API", "text,label,textPair\na,1,b\n", /a\.csv:2: textPair: it is called text_pair/],
    ["a text without anything in it", 'text,label\n"a\nb",1\n," 2"\n', /a\.csv:4: text: it is blank/],
    ["an id that cannot be one", "text,label,profile\na,1,m e\n", /a\.csv:2: profile: it is not a profile's id/],
  ])("reports %s", async (_, content, message) => {
    await expect(read("a.csv", content)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/\S/),
    });
  });
});

describe("examples in JSON Lines", () => {
  it("accepts labels as strings or numbers, and null for omitted fields", async () => {
    const lines = [
      { text: "a", label: "low" },
      { text: "b", label: 2.5, text_pair: null, profile: "me" },
      { text: "c", label: 3, text_pair: "d" },
    ];
    const content = `\uFEFF${lines.map((line) => JSON.stringify(line)).join("\r\n\r\n")}\n`;
    const wanted = [
      { line: 1, profile: null, label: "low", input: { text: "a" } },
      { line: 3, profile: "me", label: "2.5", input: { text: "b" } },
      { line: 5, profile: null, label: "3", input: { text: "c", textPair: "d" } },
    ];
    expect(await read("a.jsonl", content)).toEqual(wanted);
    expect(await read("a.ndjson.gz", gzipSync(content))).toEqual(wanted);
  });

  it.each([
    ["an empty file", "\n", /a\.jsonl has no examples/],
    ["a line that is not JSON", '{"text":"a","label":1}\n\ntext,label\n', /a\.jsonl:3: it is not a JSON object/],
    ["a line that is no object", "1\n", /a\.jsonl:1: it is not a JSON object/],
    ["a JSON array", '[{"text":"a","label":1}]', /a\.jsonl:1: it is a JSON array/],
    ["a label that is none", '{"text":"a","label":true}\n', /a\.jsonl:1: label: it must be/],
    ["a label that is not there", '{"text":"a"}\n', /a\.jsonl:1: there is no column "label" among "text"/],
    ["a field of the API", '{"text":"a","label":1,"textPair":"b"}\n', /a\.jsonl:1: textPair: it is called text_pair/],
  ])("reports %s", async (_, content, message) => {
    await expect(read("a.jsonl", content)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringMatching(/\S/),
    });
  });
});
