import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  escapeControls,
  findLabel,
  isNumeric,
  labelFault,
  labelForm,
  labelNumber,
  labelSetFault,
  quoteLabel,
} from "../../../src/profiles/labels.ts";
// The training companion's tests read the same file.
import golden from "../../fixtures/labels.json";

describe("a label", () => {
  it.each(golden.canonical)("has a canonical form: %j", (text, label) => {
    expect({ form: labelForm(text ?? ""), fault: labelFault(text ?? "") }).toEqual({ form: label, fault: null });
  });

  it.each(golden.blank)("is not blank: %j", (text) => {
    expect(labelFault(text)).toBe(`${quoteLabel(text)} is blank`);
  });

  it.each([...golden.controls, "a\ud800"])(
    "has no control characters, and the message shows them escaped: %j",
    (text) => {
      expect(labelFault(text)).toBe(`${quoteLabel(text)} has a control character, such as a tab or a line end`);
      expect(quoteLabel(text)).not.toMatch(/[\p{C}\u2028\u2029]/u);
      expect(JSON.parse(quoteLabel(text))).toBe(text);
    },
  );

  it("has at most 256 UTF-16 units", () => {
    for (const longest of ["x".repeat(256), "😀".repeat(128)]) {
      expect(labelFault(` ${longest} `)).toBeNull();
      expect(labelFault(`${longest}x`)).toMatch(/^".{100}" is longer than 256 characters$/);
    }
  });

  it("is trimmed of the characters of which training trims it", () => {
    const trimmed = Array.from({ length: 0x10000 }, (_, code) => code).filter(
      (code) => labelForm(`x${String.fromCharCode(code)}`) === "x",
    );
    expect(trimmed).toEqual(golden.trimmedCharacters);
  });

  it("has a canonical form that is its own", () => {
    const characters = [
      " ",
      "\u00a0",
      "\u200b",
      "\ufeff",
      "\t",
      "e",
      "\u0301",
      "\u0323",
      "\u00e9",
      "\u212b",
      "\u1112",
      "\u1161",
      "\u11ab",
    ];
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...characters) }), (text) => {
        const form = labelForm(text);
        expect(labelForm(form)).toBe(form);
        expect(form).toBe(form.normalize("NFC"));
        expect(labelForm(` ${text.normalize("NFD")}\n`)).toBe(labelForm(` ${text}\n`));
      }),
    );
  });

  it("takes linear time, whatever the text", () => {
    // The processor's time: other processes do not count.
    const start = process.cpuUsage();
    labelForm(`x${" ".repeat(200_000)}x`);
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
  });
});

it.each(golden.found.indices)("is found among a task's as it is, or else by its canonical form: %j", (label, index) => {
  expect(findLabel(String(label), golden.found.labels)).toBe(index);
});

it.each([
  [["billing", " tech", "Tech", "Caf\u00e9"], null],
  [["one", "two", "one"], '"one" is there twice'],
  [
    ["tech", "billing", "tech\u00a0"],
    '"tech" and "tech\\u00a0" are one label, with other white space or in another Unicode form',
  ],
  [
    ["Caf\u00e9", "Cafe\u0301"],
    '"Caf\u00e9" and "Cafe\u0301" are one label, with other white space or in another Unicode form',
  ],
  [["tech", "billing\n"], '"billing\\n" has a control character, such as a tab or a line end'],
  [["tech", " "], '" " is blank'],
])("checks the labels of a new task: %j", (labels, fault) => {
  expect(labelSetFault(labels)).toBe(fault);
});

it("is a number in decimal digits, and finite", () => {
  expect(golden.numbers.filter((label) => labelNumber(label) === null)).toEqual([]);
  expect(golden.names.filter((label) => labelNumber(label) !== null)).toEqual([]);
  expect([" -.5", "1e1", "007"].map(labelNumber)).toEqual([-0.5, 10, 7]);
  expect([isNumeric(["1", "2.5"]), isNumeric(["1", "nan"])]).toEqual([true, false]);
});

it("stays on one line where it is printed, and is otherwise unchanged", () => {
  expect(escapeControls("a\tb\nc\u2028d\u0085\u0007")).toBe("a\\tb\\nc\\u2028d\\u0085\\u0007");
  expect(escapeControls("two\u00a0words 👨\u200d👩 \\n")).toBe("two\u00a0words 👨\u200d👩 \\n");
});
