import { XpeftError } from "../errors.ts";

/** The sizes of a bundle that masks depend on. */
export interface MaskedSizes {
  /** L, all layers of the encoder. */
  readonly layers: number;
  readonly pool: {
    /** F, the first layer that has masks. */
    readonly firstLayer: number;
    readonly size: number;
    readonly chosen: number;
  };
}

/** Sizes of a mask blob. */
export interface MaskShape {
  /** F, the first layer that has masks. */
  readonly firstLayer: number;
  /** K, the number of layers that have masks. */
  readonly layers: number;
  /** N, adapters of the pool in each layer. */
  readonly size: number;
  /** k, adapters that each mask chooses. */
  readonly chosen: number;
}

/** Returns the shape of the masks of a bundle, for its manifest or its pool. */
export function maskShapeOf({ layers, pool: { firstLayer, size, chosen } }: MaskedSizes): MaskShape {
  return { firstLayer, layers: layers - firstLayer, size, chosen };
}

/** Returns the bytes of one mask: one bit for each adapter of the pool. */
function bytesPerMask(size: number): number {
  return Math.ceil(size / 8);
}

/** Returns the bytes of the mask blob of a profile that has masks: `2 · K · ceil(N / 8)`. */
export function maskBytes(shape: MaskShape): number {
  return 2 * shape.layers * bytesPerMask(shape.size);
}

function invalid(message: string): XpeftError {
  return new XpeftError("invalid_mask", message, { reason: "stored" });
}

/** Returns the name of a blob's row for messages: rows alternate down and up, layer by layer. */
function nameOfRow(row: number, { firstLayer }: MaskShape): string {
  return `the ${row % 2 === 0 ? "down" : "up"} mask of layer ${firstLayer + (row >> 1)}`;
}

/**
 * Returns the adapters that a mask blob chooses.
 *
 * @param blob `2 · K · ceil(N / 8)` bytes, as docs/formats.md describes them; or none: no masks
 * @returns the chosen adapters' numbers, `[K, 2, k]` flat, rising in each mask; the middle axis is down, up. Empty if
 * there are no masks
 * @throws XpeftError `invalid_mask` if the length, a mask's count of ones or its padding bits are wrong
 */
export function unpackMasks(blob: Uint8Array, shape: MaskShape): Uint16Array {
  const { layers, size, chosen } = shape;
  const stride = bytesPerMask(size);
  if (blob.length === 0) return new Uint16Array();
  if (blob.length !== maskBytes(shape)) {
    throw invalid(`A mask blob has ${blob.length} bytes; this task needs ${maskBytes(shape)}.`);
  }
  const adapters = new Uint16Array(2 * layers * chosen);
  for (let row = 0; row < 2 * layers; row++) {
    let count = 0;
    for (const [index, byte] of blob.subarray(row * stride, (row + 1) * stride).entries()) {
      for (let bits = byte; bits !== 0; bits &= bits - 1) {
        const adapter = index * 8 + 31 - Math.clz32(bits & -bits);
        if (adapter >= size)
          throw invalid(`A bit past the pool's ${size} adapters is set in ${nameOfRow(row, shape)}.`);
        if (count < chosen) adapters[row * chosen + count] = adapter;
        count++;
      }
    }
    if (count !== chosen) throw invalid(`${count} adapters are chosen in ${nameOfRow(row, shape)}, not ${chosen}.`);
  }
  return adapters;
}

/**
 * Returns a mask blob: the inverse of {@link unpackMasks}.
 *
 * @param adapters the chosen adapters' numbers, `[K, 2, k]` flat, in any order within a mask; or empty: no masks
 * @throws XpeftError `invalid_mask` if their number is wrong, one is out of range, or one is chosen twice
 */
export function packMasks(adapters: ArrayLike<number>, shape: MaskShape): Uint8Array {
  const { layers, size, chosen } = shape;
  const stride = bytesPerMask(size);
  if (adapters.length === 0) return new Uint8Array();
  if (adapters.length !== 2 * layers * chosen) {
    throw invalid(`There are ${adapters.length} adapters; the masks choose ${2 * layers * chosen}.`);
  }
  const blob = new Uint8Array(maskBytes(shape));
  for (const [position, adapter] of Array.from(adapters).entries()) {
    const row = Math.floor(position / chosen);
    if (!Number.isInteger(adapter) || adapter < 0 || adapter >= size) {
      throw invalid(`Adapter ${adapter} is chosen in ${nameOfRow(row, shape)}; the pool has ${size} adapters.`);
    }
    const index = row * stride + (adapter >> 3);
    const byte = blob[index] ?? 0;
    const bit = 1 << (adapter & 7);
    if ((byte & bit) !== 0) throw invalid(`Adapter ${adapter} is chosen twice in ${nameOfRow(row, shape)}.`);
    blob[index] = byte | bit;
  }
  return blob;
}
