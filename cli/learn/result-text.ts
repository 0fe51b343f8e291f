import type { LearntProfile } from "../../src/serving/learn-profile.ts";

/** Maximum bytes of an integer in a row. */
const INTEGER_BYTES = 8;

/** Returns the bytes of a profile's row: task, id, masks, label bias, generation and time. */
function rowBytes(task: string, profile: string, { masks, labelBias }: LearntProfile["parts"]): number {
  return task.length + profile.length + masks.length + (labelBias?.length ?? 0) + 2 * INTEGER_BYTES;
}

/** Returns which candidate won cross-validation. */
function describeWinner({ kept, passes, start, parts }: LearntProfile): string {
  // A start may have no masks although the learnt profile has some.
  const from = start === null ? "the task's default profile" : `profile ${start}`;
  const epochs = `${passes} ${passes === 1 ? "epoch" : "epochs"}`;
  const candidates = {
    head: `${parts.masks.length === 0 ? "no masks" : `the masks of ${from}`}, with a trained head change and label bias`,
    masks: `masks and label bias trained for ${epochs}, starting from ${from}`,
  };
  return `candidate "${kept}" won: ${candidates[kept]}`;
}

/** Returns the held-out accuracy and loss of the start and of what was learnt. */
function describeGain({ leftOut: { texts, start, learnt, trusted, gained } }: LearntProfile): string {
  const figures = [
    `held-out accuracy ${start.accuracy.toFixed(3)} of the start, ${learnt.accuracy.toFixed(3)} learnt`,
    `loss ${start.loss.toFixed(3)} of the start, ${learnt.loss.toFixed(3)} learnt`,
  ];
  const verdict = trusted ? "the gain is trusted" : gained ? "the gain may be chance" : "no gain";
  return `${figures.join("; ")} (${texts} texts); ${verdict}`;
}

/**
 * Returns the result of learning a profile, in three lines.
 *
 * @param seconds how long learning took
 * @param appendedTo the file that the profile was appended to
 */
export function describeLearnt(
  name: { task: string; profile: string },
  learnt: LearntProfile,
  seconds: number,
  appendedTo: string | undefined,
): string {
  const { generation, created, parts, notWritten } = learnt;
  const writes = [
    ...(generation === null ? [] : [`${created ? "created" : "replaced"}, generation ${generation}`]),
    ...(appendedTo === undefined ? [] : [`appended to ${appendedTo}`]),
  ];
  const nothing =
    notWritten === "no-gain"
      ? "nothing was written: there is no gain, so the profile stays as it is. With --push or --out, add --force to replace it"
      : "nothing was written: add --push or --out";
  return [
    `${name.task}/${name.profile}: ${describeWinner(learnt)}`,
    `  ${describeGain(learnt)}`,
    `  row of ${rowBytes(name.task, name.profile, parts)} bytes, learnt in ${seconds.toFixed(1)} s; ${writes.join("; ") || nothing}`,
  ].join("\n");
}
