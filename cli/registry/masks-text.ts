import { fromBase64 } from "../../src/lib/base64.ts";
import { unpackMasks } from "../../src/profiles/masks.ts";

/** The sizes of a bundle that masks depend on. */
interface MaskSizes {
  readonly layers: number;
  readonly pool: { readonly size: number; readonly chosen: number };
}

/**
 * Returns masks as text: a line for each layer and side, with a sign for each adapter of the pool.
 *
 * @param masks packed masks in base64
 */
export function formatMasks(masks: string, { layers, pool: { size, chosen } }: MaskSizes): string {
  const adapters = unpackMasks(fromBase64(masks), { layers, size, chosen });
  const width = String(layers - 1).length;
  const rows = Array.from({ length: 2 * layers }, (_, row) => {
    const signs = Array.from({ length: size }, () => "·");
    for (const adapter of adapters.subarray(row * chosen, (row + 1) * chosen)) signs[adapter] = "●";
    return `${String(row >> 1).padStart(width)} ${row % 2 === 0 ? "down" : "up  "} ${signs.join("")}`;
  });
  return rows.join("\n");
}
