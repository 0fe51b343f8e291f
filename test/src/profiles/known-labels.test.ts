import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelLogits } from "../../../src/model/head.ts";
import {
  findKnown,
  onlyKnown,
  packAmongAll,
  packOnlyKnown,
  pickKnown,
  withKnown,
} from "../../../src/profiles/known-labels.ts";
import { packProfileHead, readProfileHead } from "../../../src/profiles/profile-head.ts";
import { profileHeads } from "../../support/arbitraries.ts";
import { errorWithCode } from "../../support/errors.ts";

describe("onlyKnown and packOnlyKnown", () => {
  it("give the known labels the logits that they have among all labels, bit for bit", () => {
    fc.assert(
      fc.property(profileHeads, fc.array(fc.float({ min: -9, max: 9, noNaN: true })), ({ shape, head }, numbers) => {
        const { labels, hidden } = shape;
        const number = (index: number) => numbers[index % numbers.length] ?? 1;
        const task = {
          head: Float32Array.from({ length: labels * (hidden + 1) }, (_, index) => number(index)),
          labels: Array.from({ length: labels }, String),
          adapter: null,
        };
        const features = Float32Array.from({ length: hidden }, (_, index) => number(index + 3));
        const { known } = head;
        const blob = packOnlyKnown(packProfileHead(head), known, shape);
        const few = onlyKnown(task, known);
        const own = blob && readProfileHead(blob, { labels: few.labels.length, hidden });
        expect(few.labels).toEqual(pickKnown(task.labels, known));
        expect(labelLogits(few, own, features)).toEqual(pickKnown(labelLogits(task, head, features), known));
      }),
    );
  });

  it("are undone by packAmongAll, up to what unknown labels had", () => {
    fc.assert(
      fc.property(profileHeads, ({ shape, head }) => {
        const few = packOnlyKnown(packProfileHead(head), head.known, shape);
        const all = packAmongAll(few, head.known, shape);
        const read = readProfileHead(all ?? new Uint8Array(shape.labels), shape);
        expect(read.known).toEqual(head.known);
        expect(packOnlyKnown(all, head.known, shape)).toEqual(few);
        const unknown = Array.from({ length: shape.labels }, (_, label) => label).filter(
          (label) => head.known && !head.known.includes(label),
        );
        for (const values of [read.bias, ...read.change.map(({ left }) => left)])
          expect(pickKnown(Array.from(values), unknown).every((value) => value === 0)).toBe(true);
      }),
    );
  });
});

it("withKnown replaces the known labels alone", () => {
  const shape = { labels: 3, hidden: 2 };
  const change = [{ scale: 2, left: Int8Array.of(1, 2, 3), right: Int8Array.of(4, 5) }];
  const blob = packProfileHead({ bias: [1, 0, 0], change, known: [0] });
  const read = readProfileHead(withKnown(blob, [1, 2], shape) ?? new Uint8Array(), shape);
  expect(read).toEqual({ bias: Float32Array.of(1, 0, 0), change, known: [1, 2] });
  expect(withKnown(null, [2], shape)).toEqual(Uint8Array.of(0, 0, 0, 4));
});

describe("findKnown", () => {
  it("returns indices in the task's order, each once, also of labels in another form", () => {
    expect(findKnown(["c", " a ", "c"], ["a", "b", "c"])).toEqual([0, 2]);
  });

  it("names a label that the task lacks", () => {
    const find = () => findKnown(["a", "x"], ["a", "b"]);
    expect(find).toThrow(errorWithCode("unknown_label"));
    expect(find).toThrow(/^knownLabels\[1\]: The task has no label "x"/);
  });
});
