import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_HEAD_CHANGE_RANK, packProfileHead, readProfileHead } from "../../../src/profiles/profile-head.ts";
import { profileHeads } from "../../support/arbitraries.ts";
import { errorWithCode } from "../../support/errors.ts";

const packBias = (bias: number[]) => packProfileHead({ bias, change: [], known: null });

/** Two labels, d = 3: a label bias, a rank with the scale 1.5, and known labels. */
const WHOLE = Uint8Array.of(16, 240, 0, 0, 0xc0, 0x3f, 1, 255, 2, 0, 128, 2);
const SHAPE = { labels: 2, hidden: 3 };

describe("readProfileHead", () => {
  it("reads sixteenths at any offset of a buffer", () => {
    const whole = Uint8Array.of(9, 0, 1, 127, 128, 255, 9);
    const { bias, change, known } = readProfileHead(whole.subarray(1, 6), { labels: 5, hidden: 4 });
    expect([...Array.from(bias)]).toEqual([0, 0.0625, 7.9375, -8, -0.0625]);
    expect({ change, known }).toEqual({ change: [], known: null });
  });

  it("reads every part byte by byte as docs/formats.md defines it, at any offset", () => {
    const moved = new Uint8Array([7, ...WHOLE, 7]).subarray(1, -1);
    expect(readProfileHead(moved, SHAPE)).toEqual({
      bias: Float32Array.of(1, -1),
      change: [{ scale: 1.5, left: Int8Array.of(1, -1), right: Int8Array.of(2, 0, -128) }],
      known: [1],
    });
  });

  it("returns what was packed, whatever its parts", () => {
    fc.assert(
      fc.property(profileHeads, ({ shape, head }) => {
        const packed = packProfileHead(head);
        const read = readProfileHead(packed ?? new Uint8Array(shape.labels), shape);
        expect({ ...read, bias: Array.from(read.bias) }).toEqual({ ...head, bias: Array.from(head.bias) });
        expect(packed === null).toBe(
          head.change.length === 0 && head.known === null && Array.from(head.bias).every((value) => value === 0),
        );
      }),
    );
  });

  it("returns a label bias that was packed, to the nearest sixteenth", () => {
    const bias = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(bias, (values) => {
        const packed = packBias(values) ?? new Uint8Array(values.length);
        const read = Array.from(readProfileHead(packed, { labels: values.length, hidden: 4 }).bias);
        for (const [index, value] of values.entries()) {
          const clamped = Math.max(-8, Math.min(7.9375, value));
          expect(Math.abs((read[index] ?? Number.NaN) - clamped)).toBeLessThanOrEqual(1 / 32);
        }
      }),
    );
    expect(packBias([0, 0.01, -0.01])).toBeNull();
    expect(packBias([0, 0.0625])).toEqual(Uint8Array.of(0, 1));
    expect(packBias([-0.0625, 0])).toEqual(Uint8Array.of(255, 0));
    expect(packBias([9, -9])).toEqual(Uint8Array.of(127, 128));
  });

  it("tells the parts by the length alone, and rejects every other length", () => {
    const shapes = fc.record({ labels: fc.integer({ min: 1, max: 40 }), hidden: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(shapes, fc.nat(700), ({ labels, hidden }, length) => {
        const ones = new Uint8Array(length).fill(1);
        const combinations = Array.from({ length: MAX_HEAD_CHANGE_RANK + 1 }, (_, rank) =>
          [0, Math.ceil(labels / 8)].map((known) => ({
            rank,
            known: known > 0,
            length: labels + rank * (4 + labels + hidden) + known,
          })),
        ).flat();
        const fitting = combinations.filter((one) => one.length === length);
        expect(fitting.length).toBeLessThanOrEqual(1);
        const [fit] = fitting;
        if (fit) {
          const { bias, change, known } = readProfileHead(ones, { labels, hidden });
          expect([bias.length, change.length, known !== null]).toEqual([labels, fit.rank, fit.known]);
        } else {
          expect(() => readProfileHead(ones, { labels, hidden })).toThrow(errorWithCode("invalid_label_bias"));
        }
      }),
    );
  });

  it.each([
    ["of one byte less", WHOLE.slice(0, -2), /has 10 bytes where the task has 2 labels/],
    ["shorter than the labels", Uint8Array.of(1), /has 1 bytes/],
    ["with a scale of 0", WHOLE.with(4, 0).with(5, 0), /with the scale 0;/],
    ["with a scale of -0", WHOLE.with(4, 0).with(5, 0x80), /with the scale 0;/],
    ["with a scale below 0", WHOLE.with(5, 0xbf), /with the scale -1.5;/],
    ["with a scale that is not a number", WHOLE.with(5, 0x7f), /with the scale NaN;/],
    ["with an infinite scale", WHOLE.with(4, 0x80).with(5, 0x7f), /with the scale Infinity;/],
    ["that knows no label", WHOLE.with(11, 0), /known labels, but none is set/],
    ["whose padding is set", WHOLE.with(11, 6), /knows label 2 of 2: padding bits are set/],
    [
      "of a rank above the maximum",
      Uint8Array.from([1, 1, ...Array.from({ length: 9 }, () => [...WHOLE.subarray(2, 11)]).flat()]),
      /rank 9; the limit is 8/,
    ],
  ])("rejects a blob %s", (_, blob, message) => {
    const read = () => readProfileHead(blob, SHAPE);
    expect(read).toThrow(errorWithCode("invalid_label_bias"));
    expect(read).toThrow(message);
  });
});
