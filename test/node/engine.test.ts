import { once } from "node:events";
import { expect, it } from "vitest";
import { compileEncoderKernels, loadEngine } from "../../node/engine.ts";
import { DEFAULT_BUNDLE } from "../../node/files.ts";

it("compiles the kernels of the encoder on this Node, and takes ONNX Runtime if asked to", async () => {
  expect(await compileEncoderKernels()).toBeInstanceOf(WebAssembly.Module);
  expect((await loadEngine(DEFAULT_BUNDLE)).name).toBe("kernels");
  expect((await loadEngine(DEFAULT_BUNDLE, "onnxruntime")).name).toBe("onnxruntime");
});

it("warns where relaxed SIMD is missing, and has no kernels", async () => {
  const warned = once(process, "warning");
  expect(await compileEncoderKernels(false)).toBeNull();
  expect(await warned).toEqual([expect.objectContaining({ code: "XPEFT_NO_RELAXED_SIMD" })]);
});
