import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLines } from "../../src/ndjson.ts";

const LIMITS = { maxBytes: 20, maxLines: 3 };

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...cuts.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.slice(edges[index], end));
}

const linesOf = async (bytes: Uint8Array, cuts: readonly number[] = []) =>
  (await Array.fromAsync(readLines(streamOf(cut(bytes, cuts)), LIMITS))).flat();

const encode = (text: string) => new TextEncoder().encode(text);

describe("readLines", () => {
  it("gives the same lines however the stream is cut", async () => {
    const line = fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => !/[\r\n]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), fc.boolean(), async (lines, cuts, ended) => {
        const bytes = encode(lines.join("\n") + (ended ? "\n" : ""));
        const expected = lines
          .map((text, index) => ({ number: index + 1, text, fault: null }))
          .filter(({ text }) => text.trim() !== "" && encode(text).length <= LIMITS.maxBytes);
        const found = (await linesOf(bytes, cuts)).filter(({ fault }) => fault === null);
        expect(found).toEqual(expected);
      }),
    );
  });

  it("names a line that is too long or not UTF-8, and goes on after it", async () => {
    const bytes = new Uint8Array([...encode(`${"x".repeat(21)}\n`), 0xff, ...encode("\n\nok\r\n")]);
    expect(await linesOf(bytes, [5, 21, 23])).toEqual([
      { number: 1, text: null, fault: "length" },
      { number: 2, text: null, fault: "encoding" },
      { number: 4, text: "ok", fault: null },
    ]);
  });

  it("gives what has come without waiting for more, and never more at once than is wanted", async () => {
    const chunks = [encode("a\nb\nc\nd\ne"), encode("f\n")];
    const groups = await Array.fromAsync(readLines(streamOf(chunks), LIMITS));
    expect(groups.map((group) => group.map(({ text }) => text))).toEqual([["a", "b", "c"], ["d"], ["ef"]]);
  });

  it("gives nothing for nothing", async () => {
    expect(await linesOf(new Uint8Array())).toEqual([]);
  });
});
