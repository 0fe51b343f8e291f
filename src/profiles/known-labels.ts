import { XpeftError } from "../errors.ts";
import { findLabel, quoteLabel } from "./labels.ts";
import { type HeadShape, headShapeOf, packProfileHead, readProfileHead } from "./profile-head.ts";
import type { Task } from "./task.ts";

/** A task with only the labels that a profile knows. */
export type KnownTask<T> = Omit<T, "labels" | "head"> & Pick<Task, "labels" | "head">;

/** Returns a task with only the known labels and their rows of the head; the task itself if `known` is null. */
export function onlyKnown<T extends Pick<Task, "labels" | "head">>(
  task: T,
  known: readonly number[] | null,
): T | KnownTask<T> {
  if (known === null) return task;
  const { labels, hidden } = headShapeOf(task);
  const head = new Float32Array(known.length * (hidden + 1));
  for (const [row, label] of known.entries()) {
    head.set(task.head.subarray(label * hidden, (label + 1) * hidden), row * hidden);
    head[known.length * hidden + row] = task.head[labels * hidden + label] ?? Number.NaN;
  }
  return { ...task, labels: pickKnown(task.labels, known), head };
}

/**
 * Returns a blob for some labels alone: that of a profile of the task that {@link onlyKnown} returns, which knows all
 * of its labels. The labels that the blob's profile knows do not matter.
 *
 * @param known null for all labels
 * @throws XpeftError `invalid_label_bias`
 */
export function packOnlyKnown(
  blob: Uint8Array | null,
  known: readonly number[] | null,
  shape: HeadShape,
): Uint8Array | null {
  if (blob === null) return null;
  const { bias, change } = readProfileHead(blob, shape);
  return packProfileHead({
    bias: pickKnown(Array.from(bias), known),
    change: change.map((rank) => ({ ...rank, left: Int8Array.from(pickKnown([...rank.left], known)) })),
    known: null,
  });
}

/**
 * Returns a blob of the whole task: the inverse of {@link packOnlyKnown}. What other labels would have is 0.
 *
 * @param blob of the known labels alone; null if it changes nothing
 * @param shape of the whole task's head
 */
export function packAmongAll(
  blob: Uint8Array | null,
  known: readonly number[] | null,
  shape: HeadShape,
): Uint8Array | null {
  if (known === null) return blob;
  const own = { labels: known.length, hidden: shape.hidden };
  const { bias, change } = readProfileHead(blob ?? new Uint8Array(known.length), own);
  const spread = (values: ArrayLike<number>) => {
    const all = new Array<number>(shape.labels).fill(0);
    for (const [row, label] of known.entries()) all[label] = values[row] ?? Number.NaN;
    return all;
  };
  return packProfileHead({
    bias: spread(bias),
    change: change.map((rank) => ({ ...rank, left: Int8Array.from(spread(rank.left)) })),
    known,
  });
}

/** Returns a blob with other known labels; the rest stays. @param blob null if the profile changes nothing */
export function withKnown(blob: Uint8Array | null, known: readonly number[], shape: HeadShape): Uint8Array | null {
  return packProfileHead({ ...readProfileHead(blob ?? new Uint8Array(shape.labels), shape), known });
}

/**
 * Returns the indices of labels among a task's, ascending and each once.
 *
 * @param names one or more labels, in any order
 * @throws XpeftError `unknown_label` if the task lacks one of them
 */
export function findKnown(names: readonly string[], labels: readonly string[]): number[] {
  const found = names.map((name, index) => {
    const label = findLabel(name, labels);
    if (label >= 0) return label;
    const message = `knownLabels[${index}]: The task has no label ${quoteLabel(name)}.`;
    throw new XpeftError("unknown_label", message, { reason: "task" });
  });
  return [...new Set(found)].sort((a, b) => a - b);
}

/** Returns what is of the known labels among values of all labels; all of them if `known` is null. */
export function pickKnown<V>(values: readonly V[], known: readonly number[] | null): readonly V[] {
  return known ? known.flatMap((label) => values[label] ?? []) : values;
}
