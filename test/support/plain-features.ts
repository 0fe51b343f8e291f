import { compileModules } from "../../node/engine.ts";
import { DEFAULT_BUNDLE, readBundle, readFolder } from "../../node/files.ts";
import { readVerified } from "../../src/bundle/files.ts";
import { oneWithRole } from "../../src/bundle/manifest.ts";
import { allocateAdapters, type MergedAdapters } from "../../src/model/merge.ts";
import { loadTextParts, type TextParts } from "../../src/model/text-parts.ts";
import { readTaskAdapter } from "../../src/profiles/task-adapter.ts";
import { createTokenizer } from "../../src/text/tokenizer.ts";
import { ENGINE_CHOICE } from "./engine-choice.ts";

/** Returns the numbers of a mask's ones. */
const onesOf = (mask: Uint8Array): number[] =>
  [...mask].flatMap((byte, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7].flatMap((bit) => ((byte >> bit) & 1 ? 8 * index + bit : [])),
  );

/**
 * Returns a text's features in the default bundle, from adapters that are merged entry by entry as docs/formats.md says.
 *
 * @param adapter of the task; null if it has none
 * @param masks choose from the pool that the task's adapter has; empty if there are no masks
 */
export async function plainFeatures(
  text: string,
  maxTokens: number,
  adapter: Uint8Array | null,
  masks: Uint8Array,
): Promise<Float32Array> {
  const { manifest } = await readBundle(DEFAULT_BUNDLE);
  const read = readFolder(DEFAULT_BUNDLE);
  const { trunk, tail } = withTail(await loadTextParts(manifest, read, await compileModules(ENGINE_CHOICE)));
  const tokenizer = createTokenizer(await readVerified(read, oneWithRole(manifest.files, "tokenizer")));
  const adapters = allocateAdapters(manifest);
  if (adapter) addPlainly(adapters, readTaskAdapter(adapter, manifest), masks, manifest);
  const residual = await trunk.runToResidual(tokenizer.encode({ text }, maxTokens), () => adapters);
  const entries = manifest.hidden * manifest.bottleneck;
  return tail.run(residual, { down: adapters.down.subarray(-entries), up: adapters.up.subarray(-entries) });
}

function withTail(parts: TextParts) {
  if (!parts.tail) throw new Error("the default bundle has no tail");
  return parts;
}

function addPlainly(
  adapters: MergedAdapters,
  { scales, steps, pool }: ReturnType<typeof readTaskAdapter>,
  masks: Uint8Array,
  sizes: { layers: number; hidden: number; bottleneck: number; pool: { firstLayer: number } },
): void {
  const entries = sizes.hidden * sizes.bottleneck;
  const bytesOfMask = Math.ceil((pool?.size ?? 0) / 8);
  for (let row = 0; row < 2 * sizes.layers; row++) {
    const masked = row - 2 * sizes.pool.firstLayer;
    const ones = masked < 0 ? [] : onesOf(masks.subarray(masked * bytesOfMask, (masked + 1) * bytesOfMask));
    for (let entry = 0; entry < entries; entry++) {
      const sum = ones.reduce((total, one) => {
        const matrix = masked * (pool?.size ?? Number.NaN) + one;
        const step = pool?.steps[matrix * entries + entry] ?? Number.NaN;
        return total + step * (pool?.scales[matrix] ?? Number.NaN);
      }, 0);
      const mean = ones.length > 0 ? Math.fround(sum / ones.length) : 0;
      const own = Math.fround((steps[row * entries + entry] ?? Number.NaN) * (scales[row] ?? Number.NaN));
      (row % 2 === 0 ? adapters.down : adapters.up)[(row >> 1) * entries + entry] = mean + own;
    }
  }
}
