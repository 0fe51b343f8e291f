import type { ReadFile } from "../bundle/files.ts";
import { type Manifest, oneWithRole, withRole } from "../bundle/manifest.ts";
import type { MergedAdapters } from "./merge.ts";
import { openGraph } from "./onnx-graph.ts";
import type { OnnxRuntime } from "./onnx-runtime.ts";
import type { ReadText, Trunk } from "./trunk.ts";

/** The frozen PLM, with adapters as an input. */
export interface Encoder extends Trunk {
  /**
   * Returns the pooled features of one text under merged adapters, `[d]`.
   *
   * @param adapters is called when the text's turn comes, and returns its adapters; its errors are passed on
   * @throws XpeftError `bundle_unusable` if ONNX Runtime fails
   */
  run(text: ReadText, adapters: () => MergedAdapters): Promise<Float32Array>;

  /** Returns a text's features and its residual. */
  runToBoth(
    text: ReadText,
    adapters: () => MergedAdapters,
  ): Promise<{ features: Float32Array; residual: Float32Array }>;
}

/**
 * Opens a bundle's encoder in ONNX Runtime.
 *
 * @param onnx null in a build without ONNX Runtime
 * @throws XpeftError `bundle_file_missing`, `bundle_file_corrupt`, or `bundle_unusable` if ONNX Runtime rejects it or
 * its inputs and outputs differ from docs/formats.md
 */
export async function createEncoder(onnx: OnnxRuntime | null, manifest: Manifest, read: ReadFile): Promise<Encoder> {
  const { layers, hidden, bottleneck, files } = manifest;
  const shapes = {
    adapter_down: [layers, hidden, bottleneck],
    adapter_up: [layers, bottleneck, hidden],
    adapter_gain: [layers, bottleneck],
    adapter_shift: [layers, bottleneck],
  };
  const graph = await openGraph(onnx, read, oneWithRole(files, "graph"), withRole(files, "weights"), {
    name: "encoder",
    inputs: { input_ids: [1, "T"], token_type_ids: [1, "T"], ...shapes },
    outputs: ["features", "residual"],
  });
  const zeros = new Float32Array(layers * bottleneck);
  const adapter_gain = { numbers: zeros.map(() => 1), shape: shapes.adapter_gain };
  const adapter_shift = { numbers: zeros, shape: shapes.adapter_shift };

  const feedsOf = ({ ids, typeIds }: ReadText, { down, up }: MergedAdapters) => ({
    input_ids: { numbers: ids, shape: [1, ids.length] },
    token_type_ids: { numbers: typeIds, shape: [1, ids.length] },
    adapter_down: { numbers: down, shape: shapes.adapter_down },
    adapter_up: { numbers: up, shape: shapes.adapter_up },
    adapter_gain,
    adapter_shift,
  });

  return {
    engine: graph.engine,
    bytes: 0,
    async run(text, adapters) {
      const { features } = await graph.run({ features: hidden }, () => feedsOf(text, adapters()));
      return features;
    },
    async runToResidual(text, adapters) {
      const { residual } = await graph.run({ residual: text.ids.length * hidden }, () => feedsOf(text, adapters()));
      return residual;
    },
    runToBoth: (text, adapters) =>
      graph.run({ features: hidden, residual: text.ids.length * hidden }, () => feedsOf(text, adapters())),
  };
}
