import { z } from "zod";

/** Memory of a Worker's isolate in bytes, without WebAssembly's and without machine code. */
export interface JsMemory {
  /** Objects in V8's heap, including garbage that is not collected yet. */
  readonly used: number;
  /** Size of V8's heap, including gaps between objects. */
  readonly heap: number;
  /** The platform's own objects behind those, and contents of array buffers. */
  readonly outside: number;
}

/** The inspector of a running Worker. */
export interface Inspector {
  /** @param collect collects garbage first */
  memory(collect: boolean): Promise<JsMemory>;
  close(): void;
}

const usageSchema = z.object({
  usedSize: z.number(),
  totalSize: z.number(),
  embedderHeapUsedSize: z.number(),
  backingStorageSize: z.number(),
});
const messageSchema = z.looseObject({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const targetsSchema = z.array(z.object({ webSocketDebuggerUrl: z.string() })).min(1);

/**
 * Connects to wrangler's inspector at `url`.
 *
 * @param nudge sends the Worker a request: workerd starts a collection only with the isolate's next event
 */
export async function connectInspector(url: URL, nudge: () => Promise<unknown>): Promise<Inspector> {
  const [target] = targetsSchema.parse(await (await fetch(new URL("/json", url))).json());
  // wrangler accepts connections only from known origins.
  const init = { headers: { origin: "http://localhost" } } as unknown as string[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? "", init);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`The inspector at ${url} does not answer.`)));
  });
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = messageSchema.parse(JSON.parse(String(data)));
    if (id === undefined) return;
    if (error) pending.get(id)?.reject(new Error(`The inspector reported an error: ${error.message}`));
    else pending.get(id)?.resolve(result);
    pending.delete(id);
  });
  socket.addEventListener("close", () => {
    for (const { reject } of pending.values()) reject(new Error("The Worker stopped. It may have run out of memory."));
  });
  let lastId = 0;
  function call(method: string): Promise<unknown> {
    const result = Promise.withResolvers<unknown>();
    pending.set(++lastId, result);
    socket.send(JSON.stringify({ id: lastId, method, params: {} }));
    return result.promise;
  }

  async function collectGarbage(): Promise<void> {
    let done = false;
    const collected = call("HeapProfiler.collectGarbage").then(() => {
      done = true;
    });
    while (!done) await Promise.race([collected, nudge()]);
  }

  await call("HeapProfiler.enable");
  return {
    async memory(collect) {
      // The second collection frees objects that only a finalizer held.
      if (collect) for (let times = 0; times < 2; times++) await collectGarbage();
      const usage = usageSchema.parse(await call("Runtime.getHeapUsage"));
      return {
        used: usage.usedSize,
        heap: usage.totalSize,
        outside: usage.embedderHeapUsedSize + usage.backingStorageSize,
      };
    },
    close: () => socket.close(),
  };
}
