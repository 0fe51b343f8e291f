/**
 * Reads little-endian float32 numbers.
 *
 * @param bytes 4 a number; they may lie at any offset of their buffer
 */
export function floatsFromBytes(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array(bytes.byteLength >> 2);
  // A head comes with every request that carries its task; Float32Array.from would take 20 times as long.
  for (let index = 0; index < floats.length; index++) floats[index] = view.getFloat32(index * 4, true);
  return floats;
}

/** Writes numbers as little-endian float32, 4 bytes each; the inverse of {@link floatsFromBytes}. */
export function bytesFromFloats(floats: Float32Array): Uint8Array {
  const bytes = new Uint8Array(floats.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of floats.entries()) view.setFloat32(index * 4, value, true);
  return bytes;
}
