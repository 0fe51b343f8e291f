import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { EngineName } from "./trunk.ts";

/** Weights outside a graph's file, under the name by which the graph refers to them. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/** A build of ONNX Runtime. All builds have the interface of onnxruntime-common. */
export interface OnnxRuntime {
  /** The engine's name in answers. */
  readonly name: EngineName;
  /** The build's own tensors. */
  readonly Tensor: new (
    numbers: Int32Array | Float32Array,
    shape: readonly number[],
  ) => Tensor;

  /**
   * Opens a model.
   *
   * @param graph the `.onnx` file; ONNX Runtime copies it and the external data
   */
  open(graph: Uint8Array, externalData: readonly ExternalData[]): Promise<InferenceSession>;

  /** Runs work with open sessions, one piece at a time and in order. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;

  /** Returns the bytes of its WASM memory, which never shrink; 0 if it has none. */
  heapBytes(): number;
}
