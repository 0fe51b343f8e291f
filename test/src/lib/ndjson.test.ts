import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLineGroups, StreamAborted } from "../../../src/lib/ndjson.ts";

const LIMITS = { maxBytes: 20, maxLines: 3, groupBytes: 1000 };

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
  (await Array.fromAsync(readLineGroups(streamOf(cut(bytes, cuts)), LIMITS))).flat();

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

  it("gathers what comes in small pieces, up to the bounds of a group", async () => {
    const chunks = ["a\nb", "\nc\n", "d\ne\n"].map(encode);
    const groups = await Array.fromAsync(readLineGroups(streamOf(chunks), LIMITS));
    expect(groups.map((group) => group.map(({ text }) => text))).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    const byBytes = await Array.fromAsync(readLineGroups(streamOf(chunks), { ...LIMITS, groupBytes: 2 }));
    expect(byBytes.map((group) => group.length)).toEqual([2, 2, 1]);
  });

  it("does not keep lines waiting for what does not come", async () => {
    let more: () => void = () => {};
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(encode("a\nhalf"));
        more = () => {
          controller.enqueue(encode(" of it"));
          controller.close();
        };
      },
    });
    const lines = readLineGroups(stream, LIMITS);
    expect((await lines.next()).value).toMatchObject([{ text: "a" }]);
    more();
    expect((await lines.next()).value).toMatchObject([{ number: 2, text: "half of it" }]);
  });

  it("says when the sender has gone, and tells the sender when nobody reads on", async () => {
    const gone = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    await expect(Array.fromAsync(readLineGroups(gone, LIMITS))).rejects.toThrow(StreamAborted);
    let told = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encode("a\nb\nc\nd\n")),
      cancel() {
        told = true;
      },
    });
    for await (const group of readLineGroups(endless, LIMITS)) if (group.length > 0) break;
    expect(told).toBe(true);
  });

  it("takes a line of as many bytes as it may have, and none of one more", async () => {
    const line = (length: number) => linesOf(encode(`${"x".repeat(length)}\n`));
    expect(await line(20)).toEqual([{ number: 1, text: "x".repeat(20), fault: null }]);
    expect(await line(21)).toEqual([{ number: 1, text: null, fault: "length" }]);
    expect(await linesOf(encode(`${"x".repeat(21)}\n`), [1, 2, 3, 20])).toEqual([
      { number: 1, text: null, fault: "length" },
    ]);
  });

  it("passes by lines of nothing but blanks, and counts them", async () => {
    expect(await linesOf(encode(" \n\t\r\nx"))).toEqual([{ number: 3, text: "x", fault: null }]);
  });

  it("gives no group without lines, however long nothing comes", async () => {
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(encode("a"));
        await new Promise((resolve) => setTimeout(resolve, 70));
        controller.enqueue(encode("b\n\n"));
        controller.close();
      },
    });
    const groups = await Array.fromAsync(readLineGroups(stream, LIMITS));
    expect(groups.map((group) => group.map(({ text }) => text))).toEqual([["ab"]]);
  });

  it("says what broke a stream", async () => {
    const cause = new Error("reset");
    const gone = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(cause) });
    const error = await Array.fromAsync(readLineGroups(gone, LIMITS)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "BrokenStream", cause });
  });

  it("gives nothing for nothing", async () => {
    expect(await linesOf(new Uint8Array())).toEqual([]);
  });
});
