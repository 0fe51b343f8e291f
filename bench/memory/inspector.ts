import { z } from "zod";

/** Memory of a Worker's isolate, in bytes. WebAssembly's is not in any of these, nor is machine code. */
export interface JsMemory {
  /** Objects in V8's heap; with {@link Inspector.memory}'s `collect`, those that are still in use. */
  readonly used: number;
  /** What V8 has taken for its heap, the room between objects included. */
  readonly heap: number;
  /** The platform's own objects behind those, and the contents of array buffers. */
  readonly outside: number;
}

/** The inspector of a running Worker. */
export interface Inspector {
  /** @param collect whether garbage is collected first */
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
 * Connects to the inspector that wrangler has at `url`.
 *
 * @param nudge makes the Worker do something: workerd starts a collection with the isolate's next event only
 */
export async function connectInspector(url: URL, nudge: () => Promise<unknown>): Promise<Inspector> {
  const [target] = targetsSchema.parse(await (await fetch(new URL("/json", url))).json());
  // wrangler answers pages of its own origins only, and asks where the others are from.
  const init = { headers: { origin: "http://localhost" } } as unknown as string[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? "", init);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`The inspector at ${url} does not answer.`)));
  });
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = messageSchema.parse(JSON.parse(String(data)));
    if (id === undefined) return;
    if (error) asked.get(id)?.reject(new Error(`The inspector refuses: ${error.message}`));
    else asked.get(id)?.resolve(result);
    asked.delete(id);
  });
  socket.addEventListener("close", () => {
    for (const { reject } of asked.values()) reject(new Error("The Worker has gone: it may have run out of memory."));
  });
  let last = 0;
  function call(method: string): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    asked.set(++last, answer);
    socket.send(JSON.stringify({ id: last, method, params: {} }));
    return answer.promise;
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
      // What only a finalizer holds goes with the second collection.
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
