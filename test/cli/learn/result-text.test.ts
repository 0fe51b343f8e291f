import { expect, it } from "vitest";
import { describeLearnt } from "../../../cli/learn/result-text.ts";
import type { LearntProfile } from "../../../src/serving/learn-profile.ts";

const score = { loss: 1, accuracy: 0.5 };
const LEARNT: LearntProfile = {
  parts: { masks: new Uint8Array(64), labelBias: null },
  pool: { firstLayer: 5, size: 256, chosen: 128 },
  start: null,
  kept: "masks",
  passes: 5,
  leftOut: { texts: 6, start: score, learnt: score, trusted: false, gained: false },
  generation: 1,
  created: true,
  notWritten: null,
  headHash: "0".repeat(32),
};

it.each<[Partial<LearntProfile>, string]>([
  [{ kept: "head" }, "the masks of the task's default profile, with a trained head change and label bias"],
  [{ kept: "head", start: "anna" }, "the masks of profile anna, with a trained head change and label bias"],
  [
    { kept: "head", start: "anna", parts: { masks: new Uint8Array(), labelBias: null } },
    "no masks, with a trained head change and label bias",
  ],
  // Whether the start had masks is not known here.
  [{ passes: 1 }, "masks and label bias trained for 1 epoch, starting from the task's default profile"],
  [{ start: "anna" }, "masks and label bias trained for 5 epochs, starting from profile anna"],
])("says which candidate won: %j", (parts, expected) => {
  const learnt = { ...LEARNT, ...parts };
  const [winner] = describeLearnt({ task: "demo", profile: "bert" }, learnt, 1, undefined).split("\n");
  expect(winner).toBe(`demo/bert: candidate "${learnt.kept}" won: ${expected}`);
});
