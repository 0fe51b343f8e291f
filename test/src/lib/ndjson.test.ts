import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { XpeftError } from "../../../src/errors.ts";
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

function splitAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const edges = [0, ...offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.slice(edges[index], end));
}

const linesOf = async (bytes: Uint8Array, offsets: readonly number[] = []) =>
  (await Array.fromAsync(readLineGroups(streamOf(splitAt(bytes, offsets)), LIMITS))).flat();

const encode = (text: string) => new TextEncoder().encode(text);

describe("readLineGroups", () => {
  it("returns the same lines for any chunking of the stream", async () => {
    const line = fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => !/[\r\n]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), fc.boolean(), async (lines, offsets, ended) => {
        const bytes = encode(lines.join("\n") + (ended ? "\n" : ""));
        const expected = lines
          .map((text, index) => ({ number: index + 1, text, fault: null }))
          .filter(({ text }) => text.trim() !== "" && encode(text).length <= LIMITS.maxBytes);
        const found = (await linesOf(bytes, offsets)).filter(({ fault }) => fault === null);
        expect(found).toEqual(expected);
      }),
    );
  });

  it("reports a line that is too long or not UTF-8 and continues with the next", async () => {
    const bytes = new Uint8Array([...encode(`${"x".repeat(21)}\n`), 0xff, ...encode("\n\nok\r\n")]);
    expect(await linesOf(bytes, [5, 21, 23])).toEqual([
      { number: 1, text: null, fault: "length" },
      { number: 2, text: null, fault: "encoding" },
      { number: 4, text: "ok", fault: null },
    ]);
  });

  it("collects lines of small chunks into a group, up to its limits", async () => {
    const chunks = ["a\nb", "\nc\n", "d\ne\n"].map(encode);
    const groups = await Array.fromAsync(readLineGroups(streamOf(chunks), LIMITS));
    expect(groups.map((group) => group.map(({ text }) => text))).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    const byBytes = await Array.fromAsync(readLineGroups(streamOf(chunks), { ...LIMITS, groupBytes: 2 }));
    expect(byBytes.map((group) => group.length)).toEqual([2, 2, 1]);
  });

  it("yields complete lines without waiting for an unfinished one", async () => {
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

  it("throws when the sender disconnects, and cancels the stream when the reader stops", async () => {
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("reset")) });
    await expect(Array.fromAsync(readLineGroups(broken, LIMITS))).rejects.toThrow(StreamAborted);
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encode("a\nb\nc\nd\n")),
      cancel() {
        cancelled = true;
      },
    });
    for await (const group of readLineGroups(endless, LIMITS)) if (group.length > 0) break;
    expect(cancelled).toBe(true);
  });

  it("accepts a line of the maximum length and rejects one byte more", async () => {
    const line = (length: number) => linesOf(encode(`${"x".repeat(length)}\n`));
    expect(await line(20)).toEqual([{ number: 1, text: "x".repeat(20), fault: null }]);
    expect(await line(21)).toEqual([{ number: 1, text: null, fault: "length" }]);
    expect(await linesOf(encode(`${"x".repeat(21)}\n`), [1, 2, 3, 20])).toEqual([
      { number: 1, text: null, fault: "length" },
    ]);
  });

  it("skips blank lines but counts them", async () => {
    expect(await linesOf(encode(" \n\t\r\nx"))).toEqual([{ number: 3, text: "x", fault: null }]);
  });

  it("yields no empty group, however long the stream pauses", async () => {
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

  it("keeps the cause of a broken stream", async () => {
    const cause = new Error("reset");
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(cause) });
    const error = await Array.fromAsync(readLineGroups(broken, LIMITS)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "StreamAborted", cause });
  });

  it("throws the service's own error, which is no disconnect of the sender", async () => {
    const error = new XpeftError("overloaded", "At capacity.", { reason: "bodies" });
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(error) });
    await expect(Array.fromAsync(readLineGroups(broken, LIMITS))).rejects.toBe(error);
  });

  it("yields nothing for an empty stream", async () => {
    expect(await linesOf(new Uint8Array())).toEqual([]);
  });
});
