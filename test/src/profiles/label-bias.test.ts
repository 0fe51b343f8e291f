import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packLabelBias, readLabelBias } from "../../../src/profiles/label-bias.ts";
import { errorWithCode } from "../../support/errors.ts";

describe("readLabelBias", () => {
  it("reads sixteenths at any offset of a buffer", () => {
    const whole = Uint8Array.of(9, 0, 1, 127, 128, 255, 9);
    expect([...readLabelBias(whole.subarray(1, 6), 5)]).toEqual([0, 0.0625, 7.9375, -8, -0.0625]);
  });

  it("returns what was packed, to the nearest sixteenth", () => {
    const bias = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(bias, (values) => {
        const packed = packLabelBias(values);
        const read = packed ? [...readLabelBias(packed, values.length)] : values.map(() => 0);
        for (const [index, value] of values.entries()) {
          const clamped = Math.max(-8, Math.min(7.9375, value));
          expect(Math.abs((read[index] ?? Number.NaN) - clamped)).toBeLessThanOrEqual(1 / 32);
        }
      }),
    );
    expect(packLabelBias([0, 0.01, -0.01])).toBeNull();
    expect(packLabelBias([0, 0.0625])).toEqual(Uint8Array.of(0, 1));
    expect(packLabelBias([-0.0625, 0])).toEqual(Uint8Array.of(255, 0));
    expect(packLabelBias([9, -9])).toEqual(Uint8Array.of(127, 128));
  });

  it("rejects every other length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (blob, labels) => {
        if (blob.length === labels) expect(readLabelBias(blob, labels)).toHaveLength(labels);
        else expect(() => readLabelBias(blob, labels)).toThrow(errorWithCode("invalid_label_bias"));
      }),
    );
  });
});
