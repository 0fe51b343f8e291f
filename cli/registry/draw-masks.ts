import { fromBase64 } from "../../src/lib/base64.ts";
import { unpackMasks } from "../../src/profiles/masks.ts";

/** What of a bundle tells how to read masks. */
interface Drawn {
  readonly layers: number;
  readonly pool: { readonly size: number; readonly chosen: number };
}

/** Masks as text: a line for each layer and side, a sign for each adapter of the pool. */
export function masksAsText(masks: string, { layers, pool: { size, chosen } }: Drawn): string {
  const adapters = unpackMasks(fromBase64(masks), { layers, size, chosen });
  const width = String(layers - 1).length;
  const lines = Array.from({ length: 2 * layers }, (_, row) => {
    const signs = Array.from({ length: size }, () => "·");
    for (const adapter of adapters.subarray(row * chosen, (row + 1) * chosen)) signs[adapter] = "●";
    return `${String(row >> 1).padStart(width)} ${row % 2 === 0 ? "down" : "up  "} ${signs.join("")}`;
  });
  return lines.join("\n");
}
