import type { ReadFile } from "../bundle/files.ts";
import { type Manifest, oneWithRole, withRole } from "../bundle/manifest.ts";
import { freeNumbers } from "../lib/floats.ts";
import type { MergedAdapters } from "../model/merge.ts";
import { openGraph } from "../model/onnx-graph.ts";
import type { OnnxRuntime } from "../model/onnx-runtime.ts";

/** A text as the learning graph reads it. */
export interface ResidualText {
  /** The sum that the first learnt layer's adapter is added to, `[T, d]` flat: {@link Reader.readToLearn}. */
  readonly residual: Float32Array;
  /** The target probability of each label, `[labels]`; their sum is 1. */
  readonly target: Float32Array;
}

/** The backward pass from a loss to the merged adapters of the learnt layers. */
export interface Gradients {
  /**
   * Returns the loss and logits of one text, and passes on its gradients.
   *
   * @param adapters of the learnt layers
   * @param head weight `[labels, d]`, then bias `[labels]`
   * @param labelBias added to the head's bias, `[labels]`
   * @param onGradients receives the adapters' gradients, of their shapes; they are freed when it returns
   * @returns `loss` is the cross entropy to the target, in nats; `logits` is `[labels]`
   * @throws XpeftError `bundle_unusable` if ONNX Runtime fails
   */
  of(
    text: ResidualText,
    adapters: MergedAdapters,
    head: Float32Array,
    labelBias: Float32Array,
    onGradients: (gradients: MergedAdapters) => void,
  ): Promise<{ loss: number; logits: Float32Array }>;

  /** Releases its memory. */
  release(): Promise<void>;
}

/**
 * Opens a bundle's learning graph.
 *
 * @param onnx null in a build without ONNX Runtime
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt`, or `bundle_unusable` if ONNX Runtime rejects it or
 * its inputs and outputs differ from docs/formats.md
 */
export async function openGradients(onnx: OnnxRuntime | null, manifest: Manifest, read: ReadFile): Promise<Gradients> {
  const { hidden, bottleneck, files, learning } = manifest;
  const layers = manifest.layers - learning.firstLayer;
  const shapes = { adapter_down: [layers, hidden, bottleneck], adapter_up: [layers, bottleneck, hidden] };
  const weights = withRole(files, "weights").filter(({ path }) => learning.weights.includes(path));
  const graph = await openGraph(onnx, read, oneWithRole(files, "learning"), weights, {
    name: "learning graph",
    inputs: { residual: ["T", hidden], ...shapes, head: ["labels", hidden], bias: ["labels"], target: ["labels"] },
    outputs: ["loss", "logits", "gradient_down", "gradient_up"],
  });
  const entries = layers * hidden * bottleneck;

  return {
    async of({ residual, target }, { down, up }, head, labelBias, onGradients) {
      const labels = target.length;
      const weight = head.subarray(0, labels * hidden);
      const bias = head.slice(labels * hidden).map((value, label) => value + (labelBias[label] ?? Number.NaN));
      const result = await graph.run({ loss: 1, logits: labels, gradient_down: entries, gradient_up: entries }, () => ({
        residual: { numbers: residual, shape: [residual.length / hidden, hidden] },
        adapter_down: { numbers: down, shape: shapes.adapter_down },
        adapter_up: { numbers: up, shape: shapes.adapter_up },
        head: { numbers: weight, shape: [labels, hidden] },
        bias: { numbers: bias, shape: [labels] },
        target: { numbers: target, shape: [labels] },
      }));
      const { loss, logits, gradient_down, gradient_up } = result;
      onGradients({ down: gradient_down, up: gradient_up });
      // A learning makes a hundred megabytes of gradients.
      freeNumbers(gradient_down);
      freeNumbers(gradient_up);
      return { loss: loss[0] ?? Number.NaN, logits };
    },
    release: graph.release,
  };
}
