import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { createSerialQueue } from "../lib/serial-queue.ts";
import type { OnnxRuntime } from "./onnx-runtime.ts";
import { retryMemory } from "./retry-memory.ts";

/** Memory of the one WASM instance that all sessions share. */
let heap: WebAssembly.Memory | undefined;

/** A run's arguments lie on a stack that all sessions share, and a run waits while they are there. */
const inTurn = createSerialQueue();

/**
 * Returns ONNX Runtime Web, on one thread.
 *
 * @param wasm its WASM, compiled: workerd compiles imports only
 */
export function createWebRuntime(wasm: WebAssembly.Module): OnnxRuntime {
  return {
    name: "onnxruntime",
    Tensor,
    inTurn,
    heapBytes: () => heap?.buffer.byteLength ?? 0,
    open: (graph, externalData) =>
      inTurn(async () => {
        env.wasm.numThreads = 1;
        // Never read: with a binary the loader does not look for the script's address, which workerd lacks.
        env.wasm.wasmBinary = new Uint8Array(1);
        const { instantiate } = WebAssembly;
        WebAssembly.instantiate = instantiateFrom(wasm);
        try {
          return await InferenceSession.create(graph, {
            executionProviders: ["wasm"],
            externalData,
            // The graphs are exported ready to run: looking for fusions takes half of the opening time and speeds up
            // nothing.
            graphOptimizationLevel: "disabled",
            // Errors only. A warning of a constant that a graph does not use would be no line of JSON in the Worker's
            // log.
            logSeverityLevel: 3,
          });
        } finally {
          WebAssembly.instantiate = instantiate;
        }
      }),
  };
}

/**
 * Returns a replacement for `WebAssembly.instantiate` while ONNX Runtime loads: workerd compiles no bytes, so the
 * compiled module takes their place.
 *
 * The instance is made synchronously, so that loading takes one turn of the event loop: no other request sees the
 * replacement, and a cancelled request cannot leave it half done. Only a lack of memory is retried later, because ONNX
 * Runtime treats one failure as final until the isolate ends.
 */
function instantiateFrom(wasm: WebAssembly.Module): typeof WebAssembly.instantiate {
  const replacement = async (_bytes: unknown, imports: WebAssembly.Imports) => {
    const instance = await retryMemory(() => new WebAssembly.Instance(wasm, imports));
    const values = [...Object.values(imports).flatMap(Object.values), ...Object.values(instance.exports)];
    heap = values.find((value) => value instanceof WebAssembly.Memory);
    return { module: wasm, instance };
  };
  return replacement as unknown as typeof WebAssembly.instantiate;
}
