import { createRandom } from "../../src/learn/random.ts";
import { maskBytes, packMasks } from "../../src/profiles/masks.ts";
import { DEFAULT_SHAPE } from "../../test/support/rows.ts";
import { createDraw } from "../random.ts";

/** The task of all profiles. */
export const TASK = "scale";

/** The task's generation after one write. */
export const GENERATION = 1;

/** Bytes of a profile's masks. */
export const MASK_BYTES = maskBytes(DEFAULT_SHAPE);

/** Parts of a mask, each with its share of the ones: few pieces then make many masks. */
const PARTS = 4;

/** Different parts. A profile combines some of them. */
const PIECES = 1024;

/** Odd, so that different numbers below 2^32 have different products modulo 2^32. */
const MIXER = 0x9e3779b1;

/**
 * Returns a profile's id. Consecutive numbers get distant ids, like those of users who sign up one after the other.
 * Ascending ids would fill the index's pages more than in use.
 *
 * @param number from 0 to 2^32 - 1; each gives a different id
 */
export const idOf = (number: number): string =>
  `user-${(Math.imul(number, MIXER) >>> 0).toString(16).padStart(8, "0")}`;

function createPieces(): Uint8Array {
  const random = createRandom(1);
  const shape = {
    ...DEFAULT_SHAPE,
    layers: PIECES / 2,
    size: DEFAULT_SHAPE.size / PARTS,
    chosen: DEFAULT_SHAPE.chosen / PARTS,
  };
  const adapters = Array.from({ length: shape.size }, (_, adapter) => adapter);
  const chosen = Array.from({ length: PIECES }, () => random.shuffled(adapters).slice(0, shape.chosen));
  return packMasks(chosen.flat(), shape);
}

/**
 * Returns a function that makes mask blobs: a million in seconds, because it combines ready pieces.
 *
 * @returns the blob of a profile by its number; each `version` gives a different one
 */
export function createMasks(): (number: number, version?: number) => Uint8Array {
  const pieces = createPieces();
  const bytes = pieces.length / PIECES;
  return (number, version = 0) => {
    const masks = new Uint8Array(MASK_BYTES);
    const draw = createDraw(Math.imul(number + 1, MIXER) + version, PIECES);
    for (let offset = 0; offset < masks.length; offset += bytes) {
      const piece = draw() * bytes;
      masks.set(pieces.subarray(piece, piece + bytes), offset);
    }
    return masks;
  };
}

/** Returns lines of `profiles.ndjson` for the profiles from one number to below another. */
export function linesOf(masksOf: (number: number) => Uint8Array, from: number, below: number): string {
  const lines: string[] = [];
  for (let number = from; number < below; number++) {
    const masks = Buffer.from(masksOf(number)).toString("base64");
    lines.push(`{"task":"${TASK}","profile":"${idOf(number)}","masks":"${masks}"}\n`);
  }
  return lines.join("");
}
