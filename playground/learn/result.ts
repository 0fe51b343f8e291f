import type { HeldOut, Learnt } from "../shared/answers.ts";
import { fillTerms } from "../shared/dom.ts";
import { bytesOf } from "../shared/masks.ts";
import { lossText, percent } from "../shared/text.ts";
import { elements } from "./elements.ts";
import { labelBiasText } from "./label-bias-text.ts";
import type { Learning } from "./last-learning.ts";
import { taskLabels } from "./tasks.ts";

function candidateText({ kept, epochs, masks }: Learnt): string {
  if (kept === "head") {
    return masks === ""
      ? "a trained head change and label bias, without masks"
      : "the start's masks, with a trained head change and label bias";
  }
  return `trained masks and a label bias, after ${epochs} ${epochs === 1 ? "pass" : "passes"}`;
}

function startText({ start }: Learnt, profile: string): string {
  if (start === null) return "the task's default";
  return start === profile ? "its own earlier generation" : start;
}

const UNCHANGED =
  'The profile stays as it is, and the masks below were not written. To write them, choose "Replace an existing profile even if nothing is gained" and learn again.';

/** Says how far the user can trust that the profile is better than its start. */
function gainText({ generation, leftOut: { texts, trusted, gained } }: Learnt): string {
  if (trusted) {
    return `The gain is reliable: by chance alone, the loss on ${texts} held-out examples falls as much less than once in 40 times.`;
  }
  if (!gained) {
    const advice = generation === null ? UNCHANGED : "Predict texts whose labels you know, or add examples.";
    return `There is no gain on the ${texts} held-out examples. ${advice}`;
  }
  return `The gain is uncertain: on only ${texts} held-out examples it may be chance. Predict texts whose labels you know, or add examples.`;
}

const OWN_START =
  "The start was the profile's own earlier generation. If it was learnt from some of these examples, both accuracies are too high.";

function outcomeText({ generation, created }: Learnt): string {
  if (generation === null) return "unchanged";
  return `${created ? "created" : "updated"}: generation ${generation}`;
}

/** Shows what a learning has written, and how good it is on held-out examples. */
export function showResult({ name, learnt }: Learning): void {
  const { leftOut, masks, labelBias, created, generation } = learnt;
  const maskBytes = bytesOf(masks).length;
  const bias = labelBias === null ? null : bytesOf(labelBias);
  const biasBytes = bias?.length ?? 0;
  const accuracyText = ({ accuracy, loss }: HeldOut) =>
    `${percent(accuracy)} of ${leftOut.texts} (loss ${lossText(loss)})`;
  elements.resultTitle.textContent = `Profile ${name.profile} of ${name.task}, ${outcomeText(learnt)}`;
  fillTerms(elements.facts, {
    "Winning candidate": candidateText(learnt),
    Start: startText(learnt, name.profile),
    "Held-out accuracy, start": accuracyText(leftOut.start),
    "Held-out accuracy, learnt": accuracyText(leftOut.learnt),
    "Label bias": labelBiasText(bias, taskLabels()),
    Bytes: `${maskBytes + biasBytes} (masks ${maskBytes}, label bias ${biasBytes})`,
  });
  elements.trust.textContent = learnt.start === name.profile ? `${gainText(learnt)} ${OWN_START}` : gainText(learnt);
  elements.undo.hidden = generation === null;
  if (generation !== null)
    elements.undo.textContent = created
      ? "Undo: delete the profile"
      : `Undo: roll back to generation ${generation - 1}`;
  elements.result.hidden = false;
}
