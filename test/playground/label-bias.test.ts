import { expect, it } from "vitest";
import { headParts, labelBiasText, partsText } from "../../playground/profiles/label-bias.ts";
import { packProfileHead } from "../../src/profiles/profile-head.ts";

const blob = (...steps: number[]) => new Uint8Array(Int8Array.from(steps).buffer);

it.each<[string, Uint8Array | null, string[], string]>([
  ["the largest changes first", blob(8, 0, -24), ["a", "b", "c"], "c −1.50, a +0.50"],
  ["six changes and the count of the others", blob(8, 7, 6, 5, 4, 3, 2, 1), [..."abcdefgh"], "f +0.19, 2 smaller"],
  ["no label bias", null, ["a"], "none"],
  ["a label bias of zeros", blob(0, 0), ["a", "b"], "none"],
  ["labels that changed since the page read them", blob(8, 0), ["a", "b", "c"], "labels have changed"],
  ["a label bias before known labels", blob(8, 0, 2), ["a", "b"], "a +0.50"],
])("shows %s", (_, bias, labels, text) => {
  expect(labelBiasText(bias, labels)).toContain(text);
});

it("lists the parts of a profile", () => {
  const shape = { labels: 3, hidden: 8 };
  const change = { scale: 1, left: Int8Array.of(1, 2, 3), right: new Int8Array(8) };
  const packed = packProfileHead({ bias: [1, 0, 0], change: [change, change], known: [0, 2] });
  expect(partsText(0, headParts(packed, shape))).toBe("label bias 3, head change 30, known labels 1");
  expect(partsText(8, headParts(blob(1, 2, 3), shape))).toBe("masks 8, label bias 3");
  expect(partsText(8, headParts(null, shape))).toBe("masks 8");
});
