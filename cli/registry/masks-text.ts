import { fromBase64 } from "../../src/lib/base64.ts";
import { type MaskShape, unpackMasks } from "../../src/profiles/masks.ts";

/**
 * Returns masks as text: a line for each personal layer and side, with a sign for each adapter of the pool. Without
 * masks, one line says this.
 *
 * @param masks packed masks in base64
 */
export function formatMasks(masks: string, shape: MaskShape): string {
  if (masks === "") return "no masks";
  const { firstLayer, layers, size, chosen } = shape;
  const adapters = unpackMasks(fromBase64(masks), shape);
  const width = String(firstLayer + layers - 1).length;
  const rows = Array.from({ length: 2 * layers }, (_, row) => {
    const signs = Array.from({ length: size }, () => "·");
    for (const adapter of adapters.subarray(row * chosen, (row + 1) * chosen)) signs[adapter] = "●";
    return `${String(firstLayer + (row >> 1)).padStart(width)} ${row % 2 === 0 ? "down" : "up  "} ${signs.join("")}`;
  });
  return rows.join("\n");
}
