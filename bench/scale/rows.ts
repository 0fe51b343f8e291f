import { maskBytes, packMasks } from "../../src/profiles/masks.ts";
import { SHAPE } from "../../test/support/rows.ts";
import { draws } from "../load.ts";

/** The task that all profiles of this bench belong to. */
export const TASK = "scale";

/** Bytes of a profile's masks. */
export const MASK_BYTES = maskBytes(SHAPE);

/** Different masks of half a layer; a profile's are put together from these. */
const PIECES = 1024;

/** Odd, so that no two numbers below 2^32 give the same product modulo 2^32. */
const MIXER = 0x9e3779b1;

/**
 * The id of a profile. Ids of neighbouring numbers are far apart, as those of users are who come one after the other:
 * ascending ones would fill the pages of the index fuller than they are in use.
 *
 * @param number from 0 to 2^32 - 1, each of which gives another id
 */
export const idOf = (number: number): string =>
  `user-${(Math.imul(number, MIXER) >>> 0).toString(16).padStart(8, "0")}`;

function pieces(): Uint8Array {
  const random = draws(1, 2 ** 32);
  const adapters = Array.from({ length: SHAPE.size }, (_, adapter) => adapter);
  const chosen = Array.from({ length: PIECES }, () =>
    adapters
      .map((adapter) => ({ adapter, by: random.next().value }))
      .sort((a, b) => a.by - b.by)
      .slice(0, SHAPE.chosen)
      .map(({ adapter }) => adapter),
  );
  return packMasks(chosen.flat(), { ...SHAPE, layers: PIECES / 2 });
}

/**
 * Makes a million mask blobs in seconds, as drawing each anew would not.
 *
 * @returns the blob of a profile's number, which is another for another `version`
 */
export function createMasks(): (number: number, version?: number) => Uint8Array {
  const all = pieces();
  const bytes = all.length / PIECES;
  return (number, version = 0) => {
    const masks = new Uint8Array(MASK_BYTES);
    const drawn = draws(Math.imul(number + 1, MIXER) + version, PIECES);
    for (let place = 0; place < masks.length; place += bytes) {
      const piece = drawn.next().value * bytes;
      masks.set(all.subarray(piece, piece + bytes), place);
    }
    return masks;
  };
}

/** Lines of `profiles.ndjson` for the profiles from one number to below another. */
export function linesOf(masksOf: (number: number) => Uint8Array, from: number, below: number): string {
  const lines: string[] = [];
  for (let number = from; number < below; number++) {
    const masks = Buffer.from(masksOf(number)).toString("base64");
    lines.push(`{"task":"${TASK}","profile":"${idOf(number)}","masks":"${masks}"}\n`);
  }
  return lines.join("");
}
