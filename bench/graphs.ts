/** The bundle that the benches measure. */
export const BUNDLE = "bundles/minilm-l6-v2";

const WEIGHTS = ["encoder.weights.0", "encoder.weights.1"];

/** The bundle's encoder. */
export const ENCODER = { graph: "encoder.onnx", weights: WEIGHTS };

/** The encoder without adapters, over the same weights. */
export const PLAIN = { graph: "plain.onnx", weights: WEIGHTS };

/** A graph with one node that does nothing. */
export const EMPTY = { graph: "empty.onnx", weights: [] };
