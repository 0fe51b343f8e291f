import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { XpeftError } from "../../../src/errors.ts";
import { createSelection, type FanOutFilter } from "../../../src/serving/fan-out-selection.ts";
import { errorWithCode } from "../../support/errors.ts";

const LABELS = ["no", "yes"];

/** Returns what a profile says whose score of "yes" is known. */
const answerOf = (yes: number) => {
  const label = yes > 0.5 ? "yes" : "no";
  return {
    label,
    score: Math.max(yes, 1 - yes),
    labels: LABELS,
    scores: [1 - yes, yes],
    logits: [],
    tokens: 3,
    truncated: false,
    generation: 7,
  };
};

function select(filter: FanOutFilter, scores: readonly number[]) {
  const selection = createSelection(LABELS, filter);
  const lines = scores.flatMap((yes, index) => selection.add(`p${index}`, answerOf(yes)) ?? []);
  return { lines, best: selection.best(), counts: selection.counts() };
}

describe("a selection", () => {
  it("has a line for each profile, or for those that give a label or have enough of its score", () => {
    const scores = [0.25, 0.75, 0.5];
    const ids = (filter: FanOutFilter) =>
      select(filter, scores).lines.map((line) =>
        "score" in line ? `${line.profile} ${line.label} ${line.score}` : "",
      );
    expect(ids({})).toEqual(["p0 no 0.75", "p1 yes 0.75", "p2 no 0.5"]);
    expect(ids({ minScore: 0.75 })).toEqual(["p0 no 0.75", "p1 yes 0.75"]);
    expect(ids({ label: "yes" })).toEqual(["p1 yes 0.75"]);
    expect(ids({ label: "yes", minScore: 0.5 })).toEqual(["p1 yes 0.75", "p2 yes 0.5"]);
    expect(ids({ label: " yes" })).toEqual(["p1 yes 0.75"]);
  });

  it("keeps the best of a label like a sort of all", () => {
    const score = fc.integer({ min: 0, max: 6 }).map((sixth) => sixth / 6);
    fc.assert(
      fc.property(fc.array(score, { maxLength: 30 }), fc.integer({ min: 1, max: 8 }), (scores, top) => {
        const { lines, best, counts } = select({ label: "yes", top }, scores);
        const sorted = scores
          .map((yes, index) => ({ profile: `p${index}`, label: "yes", score: yes, generation: 7 }))
          .sort((a, b) => b.score - a.score || (a.profile < b.profile ? -1 : 1));
        expect([lines, best]).toEqual([[], sorted.slice(0, top)]);
        expect(counts.matched).toBe(best.length);
      }),
    );
    expect(select({ label: "yes", top: 3, minScore: 0.5 }, [0.25, 0.75]).best).toMatchObject([{ profile: "p1" }]);
  });

  it("counts the labels of all profiles, whatever the filter", () => {
    const selection = createSelection(LABELS, { label: "yes" });
    for (const yes of [0.1, 0.2, 0.9]) selection.add("p", answerOf(yes));
    const error = new XpeftError("invalid_mask", "Damaged.", { reason: "stored" });
    expect(selection.add("damaged", error)).toEqual({ profile: "damaged", error });
    expect(selection.counts()).toEqual({ profiles: 4, matched: 1, failed: 1, labels: { no: 2, yes: 1 } });
  });

  it("passes over a profile that does not know the label", () => {
    const knowsNo = { ...answerOf(0), labels: ["no"], score: 1, scores: [1] };
    for (const filter of [{ label: "yes" }, { label: "yes", minScore: 0 }, { label: "yes", top: 2, minScore: 0 }]) {
      const selection = createSelection(LABELS, filter);
      expect([selection.add("p", knowsNo), selection.best()]).toEqual([null, []]);
      expect(selection.counts()).toMatchObject({ profiles: 1, matched: 0, labels: { no: 1, yes: 0 } });
    }
  });

  it("rejects a label that the task does not have", () => {
    expect(() => createSelection(LABELS, { label: "maybe" })).toThrow(errorWithCode("unknown_label"));
  });
});
