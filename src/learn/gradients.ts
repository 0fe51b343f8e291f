import type { ReadFile } from "../bundle/files.ts";
import { type Manifest, oneWithRole, withRole } from "../bundle/manifest.ts";
import type { MergedAdapters } from "../model/merge.ts";
import { floatTensor, openGraph } from "../model/onnx-graph.ts";

/** A text as the learning graph reads it. */
export interface ResidualText {
  /** What the first learnt layer's adapter joins, `[T, d]` flat: {@link Encoder.runToLearn}. */
  readonly residual: Float32Array;
  /** How likely each label should be, `[labels]`; their sum is 1. */
  readonly target: Float32Array;
}

/** The way back from a loss to the merged adapters of the learnt layers. */
export interface Gradients {
  /**
   * Loss and gradients of one text.
   *
   * @param adapters of the learnt layers
   * @param head weight `[labels, d]`, then bias `[labels]`
   * @param labelBias added to the head's bias, `[labels]`
   * @param take is given the gradients of the adapters, of their shapes; they are gone when it returns
   * @returns loss: cross entropy to the target; logits `[labels]`
   * @throws XpeftError `bundle_unusable` if ONNX Runtime fails
   */
  of(
    text: ResidualText,
    adapters: MergedAdapters,
    head: Float32Array,
    labelBias: Float32Array,
    take: (gradients: MergedAdapters) => void,
  ): Promise<{ loss: number; logits: Float32Array }>;

  /** Gives back the memory of it. */
  release(): Promise<void>;
}

/**
 * Opens a bundle's learning graph.
 *
 * @param wasm ONNX Runtime's own WASM, compiled
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt`, or `bundle_unusable` if ONNX Runtime refuses it or its
 * inputs and outputs are not those of docs/formats.md
 */
export async function openGradients(wasm: WebAssembly.Module, manifest: Manifest, read: ReadFile): Promise<Gradients> {
  const { hidden, bottleneck, files, learning } = manifest;
  const layers = manifest.layers - learning.firstLayer;
  const shapes = { adapter_down: [layers, hidden, bottleneck], adapter_up: [layers, bottleneck, hidden] };
  const weights = withRole(files, "weights").filter(({ path }) => learning.weights.includes(path));
  const graph = await openGraph(wasm, read, oneWithRole(files, "learning"), weights, {
    name: "learning graph",
    inputs: { residual: ["T", hidden], ...shapes, head: ["labels", hidden], bias: ["labels"], target: ["labels"] },
    outputs: ["loss", "logits", "gradient_down", "gradient_up"],
  });
  const entries = layers * hidden * bottleneck;

  return {
    async of({ residual, target }, { down, up }, head, labelBias, take) {
      const labels = target.length;
      const weight = head.subarray(0, labels * hidden);
      const bias = head.slice(labels * hidden).map((value, label) => value + (labelBias[label] ?? Number.NaN));
      const found = await graph.run({ loss: 1, logits: labels, gradient_down: entries, gradient_up: entries }, () => ({
        residual: floatTensor(residual, [residual.length / hidden, hidden]),
        adapter_down: floatTensor(down, shapes.adapter_down),
        adapter_up: floatTensor(up, shapes.adapter_up),
        head: floatTensor(weight, [labels, hidden]),
        bias: floatTensor(bias, [labels]),
        target: floatTensor(target, [labels]),
      }));
      const { loss, logits, gradient_down, gradient_up } = found;
      take({ down: gradient_down, up: gradient_up });
      letGo(gradient_down);
      letGo(gradient_up);
      return { loss: loss[0] ?? Number.NaN, logits };
    },
    release: graph.release,
  };
}

/**
 * Gives back the memory of some numbers at once. A learning makes a hundred megabytes of gradients, which would else lie in the isolate
 * until garbage is collected.
 */
function letGo(numbers: Float32Array): void {
  if (numbers.buffer instanceof ArrayBuffer) numbers.buffer.transfer(0);
}
