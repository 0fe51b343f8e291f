import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { missingPython } from "../support/python.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";
import { EDGE_CASE_REQUESTS, type Request } from "./edge-cases.ts";
import { mpnetTokenizer } from "./mpnet.ts";
import { disagreements, pythonTokens } from "./reference.ts";

/** Folder of data sets: `TASK/*.jsonl.gz` with lines of {"text", "text_pair"?}. They are not part of the project. */
const data = process.env.XPEFT_DATA;
const missingData = data && existsSync(data) ? undefined : "needs the folder of data sets in XPEFT_DATA";

// Some reporters do not say why a test is skipped.
for (const reason of [missingPython, missingData]) {
  if (reason !== undefined) console.warn(`Not all tokens are compared with Python's: the comparison ${reason}.`);
}

const LENGTHS = [32, 48, 128];
const TEXTS = 2000;

/** Returns up to {@link TEXTS} evenly spaced texts of a data set, each with every maximum length. */
function requestsOf(file: string): Request[] {
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trimEnd().split("\n");
  const count = Math.min(TEXTS, lines.length);
  return Array.from({ length: count }, (_, i) => lines[Math.floor((i * lines.length) / count)] ?? "").flatMap(
    (line) => {
      const { text, text_pair: textPair }: { text: string; text_pair?: string } = JSON.parse(line);
      return LENGTHS.map((maxTokens) => ({ text, textPair, maxTokens }));
    },
  );
}

describe.skipIf(missingPython !== undefined)(
  `tokens equal Python's [${missingPython ?? "found"}]`,
  { timeout: 600_000 },
  () => {
    describe.skipIf(missingData !== undefined)(`on data sets [${missingData ?? "found"}]`, () => {
      const files = data ? globSync(join(data, "*", "*.jsonl.gz")).sort() : [];

      it.each(files.map((file) => [join(basename(dirname(file)), basename(file)), file]))("%s", (_, file) => {
        expect(disagreements(requestsOf(file))).toEqual([]);
      });
    });

    it("on edge cases, whose tokens other tests read from a file", async () => {
      expect(disagreements(EDGE_CASE_REQUESTS)).toEqual([]);
      const lines = pythonTokens(EDGE_CASE_REQUESTS).map((tokens) => JSON.stringify(tokens));
      await expect(`[\n${lines.join(",\n")}\n]\n`).toMatchFileSnapshot("../fixtures/oddities.json");
    });

    it("on pairs of all short lengths", () => {
      const lengths = Array.from({ length: 12 }, (_, length) => length);
      const requests = lengths.flatMap((first) =>
        lengths.flatMap((second) =>
          lengths.map((budget) => ({ text: "a ".repeat(first), textPair: "b ".repeat(second), maxTokens: 4 + budget })),
        ),
      );
      expect(disagreements(requests)).toEqual([]);
    });

    it("on every character that Unicode has assigned, inside a word", () => {
      // Above the third plane there are only tags and private use, so those are sampled.
      const points = Array.from({ length: 0x32_400 }, (_, point) => point);
      for (let point = 0x32_400; point < 0x11_0000; point += 97) points.push(point);
      for (let point = 0xe_0000; point < 0xe_0200; point++) points.push(point);
      const texts = points.map((point) => `A${String.fromCodePoint(point)}b`);
      const requests = Array.from({ length: Math.ceil(texts.length / 64) }, (_, i) => ({
        text: texts.slice(64 * i, 64 * (i + 1)).join(" "),
        maxTokens: 512,
      }));
      expect(disagreements(requests)).toEqual([]);
    });

    it("with MPNet's special tokens, in edge cases and in pairs that are counted part by part", async () => {
      const folder = await makeTempFolder("xpeft-mpnet-");
      try {
        const file = join(folder, "tokenizer.json");
        writeFileSync(file, mpnetTokenizer());
        const texts = [
          "<s> in </s> the <mask> text <pad>[UNK]",
          "<S> < s> <mask>ed x</s>y [CLS] [SEP]",
          "a <mask>  <mask> b",
        ];
        const alone = texts.flatMap((text) => [
          { text, maxTokens: 7 },
          { text, textPair: text, maxTokens: 64 },
        ]);
        // A special token is at each place where parts could end.
        const long = [2999, 3000, 3001].map((times) => ({
          text: "a<mask>b".repeat(3000),
          textPair: "<s></s>c".repeat(times),
          // Python computes all overflowing pairs: few tokens would be many pairs.
          maxTokens: 600,
        }));
        expect(disagreements([...EDGE_CASE_REQUESTS, ...alone, ...long], file)).toEqual([]);
      } finally {
        await removeTempFolder(folder);
      }
    });
  },
);
