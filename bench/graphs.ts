/** The bundle that is measured. */
export const BUNDLE = "bundles/minilm-l6-v2";

/** The default bundle's encoder with nothing for adapters in it; its weights are the bundle's own files. */
export const PLAIN = { graph: "plain.onnx", weights: ["encoder.weights.0", "encoder.weights.1"] };

/** The default bundle's encoder. */
export const ENCODER = { graph: "encoder.onnx", weights: ["encoder.weights.0", "encoder.weights.1"] };

/** A graph that does nothing. */
export const EMPTY = { graph: "empty.onnx", weights: [] };
