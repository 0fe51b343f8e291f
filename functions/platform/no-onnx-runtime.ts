// Takes the place of ONNX Runtime's WASM in a build without it: see [alias] in wrangler.toml.
export default null;
