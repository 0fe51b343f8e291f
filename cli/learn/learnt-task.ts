import type { taskFileFields } from "../../src/profiles/file-format.ts";
import type { LearntTaskRow } from "../../src/serving/learn-task.ts";

/** A task that was learnt here or in a Worker, with the fields of its `task.json`. */
export interface LearntTaskFile extends Omit<LearntTaskRow, "task"> {
  readonly file: ReturnType<typeof taskFileFields>;
}

const percent = (fraction: number) => `${Math.round(100 * fraction)}%`;

/** Returns the result of learning a task, a line for each thing. @param out the folder that it was written to */
export function describeLearntTask(learnt: LearntTaskFile, out: string | undefined): string {
  const { file, texts, heldOut, abstention, generation, created } = learnt;
  const writes = [
    ...(generation === null ? [] : [`${created ? "created" : "replaced"}, generation ${generation}`]),
    ...(out === undefined ? [] : [`written to ${out}`]),
  ];
  const isUseless = heldOut.accuracy <= heldOut.majority;
  const { below, answered, accuracy } = abstention;
  return [
    `${file.task}: ${file.labels.length} labels, ${texts} texts; held-out accuracy ${heldOut.accuracy.toFixed(3)}, and ${heldOut.majority.toFixed(3)} for always the most frequent label`,
    ...(isUseless ? ["  the task is no better than that label alone: give more examples, or clearer ones"] : []),
    below === null || accuracy === null
      ? "  no score reliably reaches the target accuracy on held-out texts"
      : `  abstain below the score ${below.toFixed(3)}: ${percent(answered)} of the held-out texts are answered, ${percent(accuracy)} of these right`,
    `  ${writes.join("; ") || "nothing was written: add --push or --out"}`,
  ].join("\n");
}
