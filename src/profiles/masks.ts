import { XpeftError } from "../errors.ts";

/** What a mask blob must fit: encoder layers L, adapters in the pool N, adapters chosen by each mask k. */
export interface MaskShape {
  readonly layers: number;
  readonly size: number;
  readonly chosen: number;
}

/** Bytes of one mask: one bit for each adapter of the pool. */
function bytesPerMask(size: number): number {
  return Math.ceil(size / 8);
}

/** Bytes of a profile's mask blob: `2 · L · ceil(N / 8)`. */
export function maskBytes(shape: MaskShape): number {
  return 2 * shape.layers * bytesPerMask(shape.size);
}

function invalid(message: string): XpeftError {
  return new XpeftError("invalid_mask", message, { reason: "stored" });
}

/** Which mask row `row` of a blob is, for messages: rows alternate down and up, layer by layer. */
function nameOfRow(row: number): string {
  return `the ${row % 2 === 0 ? "down" : "up"} mask of layer ${row >> 1}`;
}

/**
 * Reads a mask blob.
 *
 * @param blob `2 · L · ceil(N / 8)` bytes as docs/formats.md has them
 * @returns the chosen adapters' numbers, `[L, 2, k]` flat, rising in each mask; the middle axis is down, up
 * @throws XpeftError `invalid_mask` if the length, a mask's count of ones or its padding bits are not what they must be
 */
export function unpackMasks(blob: Uint8Array, shape: MaskShape): Uint16Array {
  const { layers, size, chosen } = shape;
  const stride = bytesPerMask(size);
  if (blob.length !== maskBytes(shape)) {
    throw invalid(`A mask blob has ${blob.length} bytes where this bundle's have ${maskBytes(shape)}.`);
  }
  const adapters = new Uint16Array(2 * layers * chosen);
  for (let row = 0; row < 2 * layers; row++) {
    let found = 0;
    for (const [index, byte] of blob.subarray(row * stride, (row + 1) * stride).entries()) {
      for (let bits = byte; bits !== 0; bits &= bits - 1) {
        const adapter = index * 8 + 31 - Math.clz32(bits & -bits);
        if (adapter >= size) throw invalid(`A bit past the pool's ${size} adapters is set in ${nameOfRow(row)}.`);
        if (found < chosen) adapters[row * chosen + found] = adapter;
        found++;
      }
    }
    if (found !== chosen) throw invalid(`${found} adapters are chosen in ${nameOfRow(row)}, not ${chosen}.`);
  }
  return adapters;
}

/**
 * Writes a mask blob; the inverse of {@link unpackMasks}.
 *
 * @param adapters the chosen adapters' numbers, `[L, 2, k]` flat, in any order inside a mask
 * @throws XpeftError `invalid_mask` if there are too many or too few, one is out of range, or one is chosen twice
 */
export function packMasks(adapters: ArrayLike<number>, shape: MaskShape): Uint8Array {
  const { layers, size, chosen } = shape;
  const stride = bytesPerMask(size);
  if (adapters.length !== 2 * layers * chosen) {
    throw invalid(`${adapters.length} adapters are given for masks of ${2 * layers * chosen}.`);
  }
  const blob = new Uint8Array(maskBytes(shape));
  for (const [place, adapter] of Array.from(adapters).entries()) {
    const row = Math.floor(place / chosen);
    if (!Number.isInteger(adapter) || adapter < 0 || adapter >= size) {
      throw invalid(`${nameOfRow(row)} chooses adapter ${adapter} of a pool of ${size}.`);
    }
    const index = row * stride + (adapter >> 3);
    const byte = blob[index] ?? 0;
    const bit = 1 << (adapter & 7);
    if ((byte & bit) !== 0) throw invalid(`${nameOfRow(row)} chooses adapter ${adapter} twice.`);
    blob[index] = byte | bit;
  }
  return blob;
}
