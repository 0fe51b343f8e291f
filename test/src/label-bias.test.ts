import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLabelBias } from "../../src/label-bias.ts";
import { named } from "../support/errors.ts";

describe("readLabelBias", () => {
  it("reads sixteenths, wherever in a buffer the bytes lie", () => {
    const whole = Uint8Array.of(9, 0, 1, 127, 128, 255, 9);
    expect([...readLabelBias(whole.subarray(1, 6), 5)]).toEqual([0, 0.0625, 7.9375, -8, -0.0625]);
  });

  it("refuses every other length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (blob, labels) => {
        if (blob.length === labels) expect(readLabelBias(blob, labels)).toHaveLength(labels);
        else expect(() => readLabelBias(blob, labels)).toThrow(named("invalid_label_bias"));
      }),
    );
  });
});
