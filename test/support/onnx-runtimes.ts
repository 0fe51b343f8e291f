import { loadWebRuntime } from "../../node/engine.ts";
import { loadNativeRuntime } from "../../node/native-runtime.ts";
import type { OnnxRuntime } from "../../src/model/onnx-runtime.ts";

/** The builds of ONNX Runtime. */
export const RUNTIMES: readonly OnnxRuntime[] = [await loadWebRuntime(), await loadNativeRuntime()];
