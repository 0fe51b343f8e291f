import { loadWebRuntime } from "../../node/engine.ts";
import type { OnnxRuntime } from "../../src/model/onnx-runtime.ts";

/** The builds of ONNX Runtime. */
export const RUNTIMES: readonly OnnxRuntime[] = [await loadWebRuntime()];
