import type { LearntProfile } from "../../src/serving/learn-profile.ts";

/** Bytes of an integer in a row, counted as if each were large. */
const INTEGER_BYTES = 8;

/** Bytes of a profile's row: task, id, masks, label bias, generation and time. */
function rowBytes(task: string, profile: string, { masks, labelBias }: LearntProfile["parts"]): number {
  return task.length + profile.length + masks.length + (labelBias?.length ?? 0) + 2 * INTEGER_BYTES;
}

const times = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "es"}`;

function keptText({ kept, passes, start }: LearntProfile): string {
  const from = start === null ? "the task's default masks" : `profile ${start}`;
  if (kept === "start") return `kept ${from} as it is (start): it did better than masks that were learnt`;
  if (kept === "label-bias")
    return `kept ${from}, with a label bias of its own (label-bias): these did better than masks that were learnt`;
  return `kept masks and a label bias of its own (masks), ${times(passes, "pass")} from ${from}`;
}

function gainText({ kept, leftOut: { texts, start, learnt, trusted } }: LearntProfile): string {
  const figures = `${texts} left-out texts: accuracy ${start.accuracy.toFixed(3)} at the start, ${learnt.accuracy.toFixed(3)} learnt; loss ${start.loss.toFixed(3)}, ${learnt.loss.toFixed(3)}`;
  if (kept === "start") return `${figures}; no gain`;
  if (learnt.loss >= start.loss) return `${figures}; no gain on these, but not clearly a loss`;
  return `${figures}; ${trusted ? "the gain can be trusted" : "the gain may be chance"}`;
}

/**
 * What a command says of a profile that was learnt, in a few lines.
 *
 * @param where what became of it besides being written to the database
 */
export function describeLearnt(
  name: { task: string; profile: string },
  learnt: LearntProfile,
  seconds: number,
  appendedTo: string | undefined,
): string {
  const { generation, created, parts } = learnt;
  const ends = [
    ...(generation === null ? [] : [`${created ? "created" : "replaced"}, generation ${generation}`]),
    ...(appendedTo === undefined ? [] : [`appended to ${appendedTo}`]),
  ];
  const end = ends.join("; ") || "nothing was written: say --push or --out to keep it";
  return [
    `${name.task}/${name.profile}: ${keptText(learnt)}`,
    `  ${gainText(learnt)}`,
    `  a row of ${rowBytes(name.task, name.profile, parts)} bytes, in ${seconds.toFixed(1)} s; ${end}`,
  ].join("\n");
}
