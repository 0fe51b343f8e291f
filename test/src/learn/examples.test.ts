import { describe, expect, it } from "vitest";
import { checkExamples, labelTarget } from "../../../src/learn/examples.ts";
import { errorWithCode } from "../../support/errors.ts";

describe("labelTarget", () => {
  it("puts all weight on the label", () => {
    expect([...labelTarget("b", ["a", "b"])]).toEqual([0, 1]);
    expect([...labelTarget("2", ["1", "2", "3"])]).toEqual([0, 1, 0]);
    expect([...labelTarget("3.0", ["1", "2", "3"])]).toEqual([0, 0, 1]);
  });

  it("finds a label by its canonical form, and the same label first", () => {
    expect([...labelTarget(" Cafe\u0301\n", ["tech", "Caf\u00e9"])]).toEqual([0, 1]);
    expect([...labelTarget("billing", ["billing ", "tech"])]).toEqual([1, 0]);
    expect([...labelTarget("a ", ["a", "a "])]).toEqual([0, 1]);
    expect([...labelTarget("a\tb", ["a", "a\tb"])]).toEqual([0, 1]);
  });

  it("compares numbers as text where not all labels are whole", () => {
    expect(() => labelTarget("1", ["1.0", "2.5"])).toThrow(errorWithCode("unknown_label"));
    expect(() => labelTarget("1.0", ["1", "2", "none"])).toThrow(errorWithCode("unknown_label"));
  });

  it.each([
    ["refund\nlate", '"refund\\nlate" has a control character, such as a tab or a line end. The task'],
    ["\u200b", '"\\u200b" is blank. The task'],
    ["tech\u00a0app", 'The task has no label "tech\\u00a0app". The task\'s labels are "a", "b".'],
  ])("shows the label escaped: %j", (label, message) => {
    expect(() => labelTarget(label, ["a", "b"])).toThrow(message);
  });

  it("splits a score between two labels", () => {
    const target = labelTarget("2.25", ["1", "2", "3"]);
    expect([...target]).toEqual([0, 0.75, 0.25]);
    expect([...labelTarget("-0.5", ["0", "-1"])]).toEqual([0.5, 0.5]);
    expect([...labelTarget("4", ["5", "1", "-2"])]).toEqual([0.75, 0.25, 0]);
  });

  it.each([
    ["c", ["a", "b"]],
    ["1.5", ["a", "1", "2"]],
    ["3.5", ["1", "2", "3"]],
    ["0x3", ["1", "2", "3"]],
    ["1e0", ["0", "1"]],
    ["+1", ["0", "1"]],
    ["1", ["0x0", "0x2"]],
    ["", ["0", "1"]],
    [" ", ["0", "1"]],
    ["NaN", ["0", "1"]],
    ["Infinity", ["0", "1"]],
    ["1.5", ["1.0", "2.5"]],
  ])("rejects %j among %j", (label, labels) => {
    expect(() => labelTarget(label, labels)).toThrow(errorWithCode("unknown_label"));
  });
});

describe("checkExamples", () => {
  const examples = (...labels: string[]) => labels.map((label) => ({ input: { text: "a text" }, label }));

  it("requires two examples with two labels, and at most 200 examples", () => {
    expect(checkExamples(examples("a", "b"), ["a", "b"])).toHaveLength(2);
    expect(() => checkExamples(examples("a"), ["a", "b"])).toThrow(errorWithCode("too_few_examples"));
    expect(() => checkExamples(examples("a", "a"), ["a", "b"])).toThrow(errorWithCode("one_label"));
    expect(() => checkExamples(examples("1", "1.0"), ["1", "2"])).toThrow(errorWithCode("one_label"));
    expect(() => checkExamples(examples("a", "c"), ["a", "b"])).toThrow(errorWithCode("unknown_label"));
    expect(() =>
      checkExamples(examples(...Array.from({ length: 201 }, (_, n) => (n % 2 ? "a" : "b"))), ["a", "b"]),
    ).toThrow(errorWithCode("too_many_examples"));
  });
});
