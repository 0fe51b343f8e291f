import { createSerialQueue } from "../src/lib/serial-queue.ts";
import type { OnnxRuntime } from "../src/model/onnx-runtime.ts";
import { CommandError } from "./errors.ts";

/**
 * Returns native ONNX Runtime, of the optional package onnxruntime-node. A run blocks the event loop, which gets a turn
 * between two runs.
 *
 * @param threads of a run; a second one saves little (bench/README.md), a second process more
 * @param load imports the package
 * @throws CommandError if the package is not installed, or has no build for this machine
 */
export async function loadNativeRuntime(threads = 1, load = () => import("onnxruntime-node")): Promise<OnnxRuntime> {
  const { InferenceSession, Tensor } = await load().catch((cause: unknown) => {
    throw loadingError(cause);
  });
  return {
    name: "native",
    Tensor,
    // onnxruntime-node would take all texts at once, and read each, also those that an earlier one of them has cached.
    inTurn: createSerialQueue(),
    heapBytes: () => 0,
    open: (graph, externalData) =>
      InferenceSession.create(graph, {
        executionProviders: ["cpu"],
        externalData,
        intraOpNumThreads: threads,
        // Without VNNI, int8 products saturate, which changes three times as many labels; "1" takes exact ones there. It
        // is an optimization of the graph; no other one changes the speed.
        graphOptimizationLevel: "all",
        extra: { session: { x64quantprecision: "1" } },
        // Errors only.
        logSeverityLevel: 3,
      }),
  };
}

function loadingError(cause: unknown): CommandError {
  if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND") {
    const message = "The native engine needs onnxruntime-node, which is not installed.";
    return new CommandError(message, "npm install onnxruntime-node", { cause });
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `The native engine cannot load onnxruntime-node: ${why}`;
  return new CommandError(message, "Use another engine here, or install onnxruntime-node again.", { cause });
}
