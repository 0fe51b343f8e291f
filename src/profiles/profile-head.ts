import { XpeftError } from "../errors.ts";

// The blob of the column `label_bias` (docs/formats.md, "Label bias"). The training companion has the same in
// xpeft/profile_head.py.

/** What one step of a stored label bias adds to a logit; int8 then covers -8 to 7.9375. */
const STEP = 1 / 16;

/** The most ranks of a head change. */
export const MAX_HEAD_CHANGE_RANK = 8;

/** What a profile changes of its task's head. */
export interface ProfileHead {
  /** Added to the logits, `[labels]`; in steps of a sixteenth as it is stored. */
  readonly bias: ArrayLike<number>;
  /** The head change: one element for each rank; empty if there is none. */
  readonly change: readonly HeadChangeRank[];
  /** Indices of the known labels, ascending; null if the profile knows all labels. */
  readonly known: readonly number[] | null;
}

/** One rank of a head change. It adds `scale · left · (right · features)` to the logits. */
export interface HeadChangeRank {
  /** A float32 above 0. */
  readonly scale: number;
  /** `[labels]` */
  readonly left: Int8Array;
  /** `[d]` */
  readonly right: Int8Array;
}

/** The sizes of a task's head. */
export interface HeadShape {
  readonly labels: number;
  /** d, the numbers of a text's features. */
  readonly hidden: number;
}

/** Returns the sizes of a task's head. */
export function headShapeOf({ labels, head }: { labels: readonly string[]; head: Float32Array }): HeadShape {
  return { labels: labels.length, hidden: head.length / labels.length - 1 };
}

const rankBytes = ({ labels, hidden }: HeadShape) => 4 + labels + hidden;

const knownBytes = ({ labels }: HeadShape) => Math.ceil(labels / 8);

/** Returns the bytes of the longest blob that a profile of the task can have. */
export function mostLabelBiasBytes(shape: HeadShape): number {
  return shape.labels + MAX_HEAD_CHANGE_RANK * rankBytes(shape) + knownBytes(shape);
}

function invalid(fault: string): XpeftError {
  return new XpeftError("invalid_label_bias", `A label bias ${fault}.`, { reason: "stored" });
}

/** Returns only the label bias of a blob, `[labels]`: for readers who do not know d. @param blob has `labels` bytes or more */
export function readLabelBias(blob: Uint8Array, labels: number): Float32Array {
  return Float32Array.from(new Int8Array(blob.buffer, blob.byteOffset, labels), (steps) => steps * STEP);
}

/**
 * Returns what a profile changes of its task's head.
 *
 * @param blob the label bias, then a head change and the known labels if the profile has them
 * @throws XpeftError `invalid_label_bias` if the length fits no combination of parts, or a part breaks its rule
 */
export function readProfileHead(blob: Uint8Array, shape: HeadShape): ProfileHead {
  const { labels } = shape;
  const more = blob.length - labels;
  // A rank has more bytes than the known labels, so the length alone says which parts there are.
  const rank = Math.floor(more / rankBytes(shape));
  const rest = more - rank * rankBytes(shape);
  if (more < 0 || (rest !== 0 && rest !== knownBytes(shape))) {
    throw invalid(
      `has ${blob.length} bytes where the task has ${labels} labels. It may have ${labels}, ${rankBytes(shape)} more for each rank of a head change, and ${knownBytes(shape)} more for known labels`,
    );
  }
  if (rank > MAX_HEAD_CHANGE_RANK) {
    throw invalid(`has a head change of rank ${rank}; the limit is ${MAX_HEAD_CHANGE_RANK}`);
  }
  const change = Array.from({ length: rank }, (_, index) => readRank(blob, labels + index * rankBytes(shape), shape));
  const known = rest === 0 ? null : readKnown(blob.subarray(blob.length - rest), labels);
  return { bias: readLabelBias(blob, labels), change, known };
}

/** Returns the labels that a profile knows, by index; null for all. @throws XpeftError as {@link readProfileHead} does */
export function knownOf(blob: Uint8Array | null, shape: HeadShape): readonly number[] | null {
  return blob && readProfileHead(blob, shape).known;
}

function readRank(blob: Uint8Array, start: number, { labels, hidden }: HeadShape): HeadChangeRank {
  const { buffer, byteOffset } = blob;
  const scale = new DataView(buffer, byteOffset).getFloat32(start, true);
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) {
    throw invalid(`has a head change with the scale ${scale}; a scale is finite and above 0`);
  }
  const left = new Int8Array(buffer, byteOffset + start + 4, labels);
  return { scale, left, right: new Int8Array(buffer, byteOffset + start + 4 + labels, hidden) };
}

function readKnown(bits: Uint8Array, labels: number): number[] {
  const known = Array.from({ length: 8 * bits.length }, (_, bit) => bit).filter((bit) => {
    return ((bits[bit >> 3] ?? 0) >> (bit & 7)) & 1;
  });
  if (known.length === 0) throw invalid("has known labels, but none is set");
  if ((known.at(-1) ?? 0) >= labels) throw invalid(`knows label ${known.at(-1)} of ${labels}: padding bits are set`);
  return known;
}

/**
 * Returns what a profile changes of its task's head as it is stored: the inverse of {@link readProfileHead}. A label
 * bias is rounded to the nearest steps and clipped to int8.
 *
 * @returns null if nothing is changed and all labels are known
 */
export function packProfileHead({ bias, change, known }: ProfileHead): Uint8Array | null {
  const steps = Int8Array.from(bias, (value) => Math.max(-128, Math.min(127, Math.round(value / STEP))));
  if (change.length === 0 && known === null && steps.every((step) => step === 0)) return null;
  const bits = new Uint8Array(known ? Math.ceil(steps.length / 8) : 0);
  for (const label of known ?? []) bits[label >> 3] = (bits[label >> 3] ?? 0) | (1 << (label & 7));
  return Uint8Array.from([
    ...new Uint8Array(steps.buffer),
    ...change.flatMap(({ scale, left, right }) => [
      ...new Uint8Array(new Float32Array([scale]).buffer),
      ...Uint8Array.from(left),
      ...Uint8Array.from(right),
    ]),
    ...bits,
  ]);
}
