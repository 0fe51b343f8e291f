import { env } from "cloudflare:workers";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { expect, it } from "vitest";
import { bundleAssets } from "../../../functions/platform/assets.ts";
import encoderKernels from "../../../src/model/kernels/encoder.wasm";
import kernels from "../../../src/model/kernels/kernels.wasm";
import { createWebRuntime } from "../../../src/model/web-runtime.ts";
import { createEngine } from "../../../src/serving/engine.ts";
import { engineInputs, masksOf, taskOf } from "../../support/rows.ts";

it("loads ONNX Runtime once for concurrent callers, and restores WebAssembly", async () => {
  const { instantiate } = WebAssembly;
  const onnx = createWebRuntime(wasm);
  expect(onnx.heapBytes()).toBe(0);
  const load = () => createEngine({ read: bundleAssets(env.ASSETS).read, onnx, kernels, encoderKernels });
  const noModel = onnx.open(new Uint8Array(8), []).catch((error: Error) => error.message);
  const [first, second] = await Promise.all([load(), load()]);
  expect(await noModel).toMatch(/model/);
  expect(WebAssembly.instantiate).toBe(instantiate);

  const task = taskOf({ bundle: first.bundle.id });
  const [answer, again] = await Promise.all(
    [first, second].map((engine) => engine.predict(task, engineInputs(masksOf(1), { text: "both of them work" }))),
  );
  expect(answer?.predictions).toEqual(again?.predictions);
  expect(first.heapBytes()).toBe(second.heapBytes());
});
