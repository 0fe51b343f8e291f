import type { TokenizedText } from "../text/tokenizer.ts";
import type { MergedAdapters } from "./merge.ts";

/**
 * What computes the encoder: the project's kernels, in relaxed SIMD, ONNX Runtime Web, or native ONNX Runtime. An answer
 * names it, because bits are the same within one alone.
 */
export type EngineName = "kernels" | "onnxruntime" | "native";

/** What a Worker can be asked for: with "auto" the kernels, if the bundle and the machine allow it. */
export type EngineChoice = "auto" | "onnxruntime";

/** What the encoder reads of a text. */
export type ReadText = Pick<TokenizedText, "ids" | "typeIds">;

/** The frozen PLM up to a text's residual, with adapters as an input. */
export interface Trunk {
  readonly engine: EngineName;
  /** Bytes of a WASM memory of its own; 0 if it is in ONNX Runtime's. */
  readonly bytes: number;

  /**
   * Returns a text's residual: the sum that the adapter of layer `learning.firstLayer` is added to, `[T, d]` flat. It
   * depends on the adapters of the layers before alone.
   *
   * @param adapters is called when the text's turn comes, and returns its adapters; its errors are passed on
   * @throws XpeftError `bundle_unusable` if the text cannot be read
   */
  runToResidual(text: ReadText, adapters: () => MergedAdapters): Promise<Float32Array>;
}
