import type { ReadFile } from "../bundle/files.ts";
import type { Manifest } from "../bundle/manifest.ts";
import { softmax } from "../model/head.ts";
import { createPlaces, instantiateKernels } from "../model/kernel-memory.ts";
import { BOTTLENECK_EPSILON, createTail, readTail, type TailSpec } from "../model/tail.ts";
import { crossEntropy } from "./fit-label-bias.ts";
import type { Gradients } from "./gradients.ts";

/** The export of kernels/gradients.as.ts, which explains the parameters. */
interface Kernels {
  addGradients(...parameters: number[]): void;
}

/**
 * Loads the backward pass of a bundle's tail, which needs no ONNX Runtime.
 *
 * @param kernels kernels.wasm, compiled
 * @returns null if the bundle has none
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt` or `bundle_unusable`
 */
export async function loadTailGradients(
  manifest: Manifest,
  read: ReadFile,
  kernels: WebAssembly.Module,
): Promise<Gradients | null> {
  const parts = await readTail(manifest, read);
  return parts && (await createTailGradients(parts.spec, parts.norm, kernels));
}

/**
 * Creates the backward pass of a tail.
 *
 * @param norm weight `[d]` and bias `[d]` of the layer's last LayerNorm
 * @throws XpeftError `bundle_unusable` if there is not enough memory
 */
export async function createTailGradients(
  spec: TailSpec,
  norm: Float32Array,
  kernels: WebAssembly.Module,
): Promise<Gradients> {
  const { hidden, bottleneck, pooling, epsilon } = spec;
  const tail = await createTail(spec, norm, kernels);
  const entries = hidden * bottleneck;
  const { numbers, end } = createPlaces();
  const [atNorm, atOutput, atScratch] = [numbers(2 * hidden), numbers(hidden), numbers(3 * (hidden + bottleneck))];
  const [atDown, atUp, atOfDown, atOfUp] = [numbers(entries), numbers(entries), numbers(entries), numbers(entries)];
  const atToken = numbers(hidden);
  const { kernels: own, floats } = await instantiateKernels<Kernels>(kernels, end());
  floats(atNorm, 2 * hidden).set(norm);
  const [ofOutput, token] = [floats(atOutput, hidden), floats(atToken, hidden)];
  const [down, up] = [floats(atDown, entries), floats(atUp, entries)];
  const gradients = { down: floats(atOfDown, entries), up: floats(atOfUp, entries) };

  return {
    async of({ residual, target }, adapters, head, labelBias, onGradients) {
      const features = tail.run(residual, adapters);
      const labels = target.length;
      const logits = target.map((_, label) => {
        let sum = (head[labels * hidden + label] ?? Number.NaN) + (labelBias[label] ?? Number.NaN);
        for (let i = 0; i < hidden; i++) sum += (features[i] ?? Number.NaN) * (head[label * hidden + i] ?? Number.NaN);
        return sum;
      });
      const missed = Float64Array.from(softmax([...logits]), (score, label) => score - (target[label] ?? Number.NaN));
      const loss = crossEntropy({ logits: [...logits], target }, new Float32Array(labels));
      const read = pooling === "cls" ? residual.subarray(0, hidden) : residual;
      for (let i = 0; i < hidden; i++) {
        let sum = 0;
        for (let label = 0; label < labels; label++)
          sum += (missed[label] ?? Number.NaN) * (head[label * hidden + i] ?? Number.NaN);
        ofOutput[i] = (sum * (norm[i] ?? Number.NaN) * hidden) / read.length;
      }
      down.set(adapters.down);
      up.set(adapters.up);
      gradients.down.fill(0);
      gradients.up.fill(0);
      const layout = [4 * hidden, 4 * bottleneck, atNorm, epsilon, BOTTLENECK_EPSILON, atDown, atUp] as const;
      for (let start = 0; start < read.length; start += hidden) {
        token.set(read.subarray(start, start + hidden));
        own.addGradients(atToken, ...layout, atOutput, atScratch, atOfDown, atOfUp);
      }
      onGradients(gradients);
      return { loss, logits };
    },
    release: async () => {},
  };
}
