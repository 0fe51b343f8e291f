import { env, InferenceSession } from "onnxruntime-web/wasm";
import { createSerialQueue } from "../lib/serial-queue.ts";

/** A part of a model that is kept outside its graph, under the name that the graph knows it by. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/** ONNX Runtime keeps one WASM instance for all its sessions; this is its memory. */
let heap: WebAssembly.Memory | undefined;

/**
 * Does work with ONNX Runtime when that of others is done. It keeps a run's arguments on a stack that all sessions share, and
 * waits while they are there.
 */
export const runSerially = createSerialQueue();

/**
 * Opens a model in ONNX Runtime, on one thread.
 *
 * @param wasm ONNX Runtime's own WASM, compiled: inside workerd it can come from an import only
 * @param graph the `.onnx` file; its bytes, and those of the external data, are copied and not kept
 */
export async function openSession(
  wasm: WebAssembly.Module,
  graph: Uint8Array,
  externalData: readonly ExternalData[],
): Promise<InferenceSession> {
  return await runSerially(async () => {
    env.wasm.numThreads = 1;
    // Never read: with a binary in hand the loader does not look for the script's own address, which workerd has not.
    env.wasm.wasmBinary = new Uint8Array(1);
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = instantiateFrom(wasm);
    try {
      return await InferenceSession.create(graph, {
        executionProviders: ["wasm"],
        externalData,
        // The graphs are written as they are to run: looking for what can be fused takes half of the time here, and finds
        // nothing that makes a run faster.
        graphOptimizationLevel: "disabled",
      });
    } finally {
      WebAssembly.instantiate = instantiate;
    }
  });
}

/** Bytes of WASM linear memory that ONNX Runtime has taken, 0 before the first session. It never gives any back. */
export function heapBytes(): number {
  return heap?.buffer.byteLength ?? 0;
}

/** Pauses before an instance is tried again, in which others' memory may be collected. */
const PAUSES_MS = [50, 250, 1000];

async function instanceOf(wasm: WebAssembly.Module, imports: WebAssembly.Imports): Promise<WebAssembly.Instance> {
  for (const pause of PAUSES_MS) {
    try {
      return new WebAssembly.Instance(wasm, imports);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return new WebAssembly.Instance(wasm, imports);
}

/**
 * What stands for `WebAssembly.instantiate` while ONNX Runtime loads itself: workerd compiles no bytes, so the module at
 * hand is used in their place.
 *
 * The instance is made at once and not by a promise of the platform's. All of the loading is then done within one turn
 * of the event loop: no other request sees the stand-in, and no request that is given up can leave it half done. Only where there is
 * no memory for it, that is tried again a little later: ONNX Runtime takes one failure for final, for as long as the isolate lives.
 */
function instantiateFrom(wasm: WebAssembly.Module): typeof WebAssembly.instantiate {
  const standIn = async (_bytes: unknown, imports: WebAssembly.Imports) => {
    const instance = await instanceOf(wasm, imports);
    const values = [...Object.values(imports).flatMap(Object.values), ...Object.values(instance.exports)];
    heap = values.find((value) => value instanceof WebAssembly.Memory);
    return { module: wasm, instance };
  };
  return standIn as unknown as typeof WebAssembly.instantiate;
}
