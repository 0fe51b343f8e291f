import { describe, expect, it } from "vitest";
import { type Candidate, chooseCandidate } from "../../../src/learn/candidates.ts";

const candidate = (kind: Candidate["kind"], losses: number[]): Candidate => ({
  kind,
  passes: 5,
  results: losses.map((loss) => ({ loss, right: true })),
});

/** Returns the winner by the losses of held-out texts. */
const winner = (startHasMasks: boolean, start: number[], labelBias: number[], masks: number[]) =>
  chooseCandidate(
    {
      baseline: candidate("start", start),
      learnt: [candidate("label-bias", labelBias), candidate("masks", masks)],
    },
    startHasMasks,
  ).kind;

describe("chooseCandidate, from a start with masks,", () => {
  const chosen = (...losses: [number[], number[], number[]]) => winner(true, ...losses);

  it("chooses masks even if another candidate is slightly better", () => {
    expect(chosen([2, 2.2, 1.9], [1.5, 1.6, 1.4], [1, 1.1, 0.9])).toBe("masks");
    expect(chosen([1, 1.5, 0.8], [1, 1.1, 1], [1.3, 1, 1.1])).toBe("masks");
  });

  it("chooses the best candidate that beats masks by more than a standard error", () => {
    expect(chosen([1, 1.1, 0.9], [2, 2, 2], [1.5, 1.5, 1.6])).toBe("start");
    expect(chosen([1, 1.1, 0.9], [0.5, 0.6, 0.5], [1.5, 1.5, 1.6])).toBe("label-bias");
    expect(chosen([1, 1.1, 0.9], [1.2, 1.1, 1.2], [3, 3, 3.1])).toBe("start");
    expect(chosen([1, 1.1, 0.9], [1, 1.1, 0.9], [3, 3, 3.1])).toBe("start");
  });
});

describe("chooseCandidate, from a start without masks,", () => {
  const chosen = (...losses: [number[], number[], number[]]) => winner(false, ...losses);

  it("chooses a label bias even if another candidate is slightly better", () => {
    expect(chosen([2, 2.2, 1.9], [1.5, 1.6, 1.4], [1.6, 1, 1.5])).toBe("label-bias");
    expect(chosen([1, 1.5, 0.8], [1.3, 1, 1.1], [1, 1.1, 1])).toBe("label-bias");
    expect(chosen([1, 1.1, 0.9], [1, 1.1, 0.9], [1, 1.1, 0.9])).toBe("label-bias");
  });

  it("chooses the best candidate that beats a label bias by more than a standard error", () => {
    expect(chosen([2, 2.2, 1.9], [1.5, 1.6, 1.4], [1, 1.1, 0.9])).toBe("masks");
    expect(chosen([1, 1.1, 0.9], [2, 2, 2], [1.5, 1.5, 1.6])).toBe("start");
    expect(chosen([1.5, 1.5, 1.6], [2, 2, 2], [1, 1.1, 0.9])).toBe("masks");
  });
});
