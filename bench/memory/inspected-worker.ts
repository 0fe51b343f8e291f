import { join } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { getPlatformProxy, unstable_startWorker } from "wrangler";
import { z } from "zod";
import { SCOPES } from "../../src/auth/access.ts";
import { generateKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import type { EngineChoice } from "../../src/model/trunk.ts";
import { createPush } from "../../src/storage/push.ts";
import { makeTempFolder, removeTempFolder } from "../../test/support/temp-folders.ts";
import { configFor, migrate, TOKEN_KEYS } from "../../test/support/worker.ts";
import { stayOffline, type TaskRows } from "../with-worker.ts";
import { connectInspector, type JsMemory } from "./inspector.ts";

/** Memory of an isolate in bytes. */
export interface IsolateMemory extends JsMemory {
  /** WebAssembly's memory of encoder and adapter pool, which never shrinks. */
  readonly wasm: number;
}

/** The deployed Worker in an isolate with an inspector. */
export interface InspectedWorker {
  readonly url: URL;
  /** A key with all permissions. */
  readonly adminKey: string;
  /** Loads the bundle if it is not loaded yet. */
  load(): Promise<void>;
  /** Returns the number of tokens that wait for the encoder. Loads the bundle if it is not loaded yet. */
  waitingTokens(): Promise<number>;
  /** Collects garbage and returns the memory in use. */
  inUse(): Promise<IsolateMemory>;
  /**
   * Samples the memory while a step runs and at its end, without collecting garbage. workerd answers an inspector between
   * two events of the isolate: not while it reads a text or loads the bundle, but right after.
   *
   * @returns the samples. Each has the WebAssembly memory of the end, which is an upper bound because it never shrinks.
   */
  sampleDuring(step: () => Promise<unknown>): Promise<IsolateMemory[]>;
}

/** Returns the bytes of an isolate, including the gaps between objects in V8's heap. */
export const totalBytes = ({ wasm, heap, outside }: IsolateMemory): number => wasm + heap + outside;

/** Returns the bytes of an isolate that are in use. */
export const usedBytes = ({ wasm, used, outside }: IsolateMemory): number => wasm + used + outside;

/** Returns the sample with the most bytes. */
export const peakOf = (samples: readonly IsolateMemory[]): IsolateMemory =>
  samples.reduce((peak, sample) => (totalBytes(sample) > totalBytes(peak) ? sample : peak));

const healthSchema = z.object({ heapBytes: z.number(), waitingTokens: z.number() });

/** Writes tasks, their profiles and an admin key into the database of a Worker that starts later. Returns the key. */
async function seedDatabase(configPath: string, state: string, rows: readonly TaskRows[]): Promise<string> {
  const proxy = await getPlatformProxy<{ DB: D1Database }>({ configPath, persist: { path: join(state, "v3") } });
  try {
    await migrate(proxy.env.DB);
    const db = drizzle(proxy.env.DB);
    const push = createPush(db);
    for (const { task, profiles } of rows) await push(task, profiles);
    const admin = { name: "bench", scopes: SCOPES, task: null, profilePrefix: "", expiresAt: null };
    const { key, row } = await generateKey(admin);
    await createKeyStore(db).add(row);
    return key;
  } finally {
    await proxy.dispose();
  }
}

/** The goal for an isolate; Cloudflare's limit is 128. */
export const MAX_MEGABYTES = 100;
/** WebAssembly's memory after a text of 512 tokens. */
const WASM_MEGABYTES = 62;
/** Roughly what is outside WebAssembly's memory and V8's heap. */
const OUTSIDE_MEGABYTES = 10;

/**
 * The limit of V8's heap: the remaining 28 MB. Without a limit V8 prefers growing to collecting, so its largest size says
 * nothing about what the Worker needs. A Worker that needs more crashes, and the bench fails. So the figure says that an
 * isolate can live within {@link MAX_MEGABYTES}, not that V8 stays there by itself.
 */
const MAX_HEAP_MEGABYTES = MAX_MEGABYTES - WASM_MEGABYTES - OUTSIDE_MEGABYTES;

const SAMPLE_EVERY_MS = 50;

/** Starts the deployed Worker with an inspector, these rows and this engine, passes it to `use`, and stops it. */
export async function withInspectedWorker<Result>(
  rows: readonly TaskRows[],
  use: (worker: InspectedWorker) => Promise<Result>,
  engine: EngineChoice = "auto",
): Promise<Result> {
  stayOffline();
  const { MINIFLARE_WORKERD_V8_FLAGS: flags } = process.env;
  const folder = await makeTempFolder("xpeft-memory-");
  try {
    const config = await configFor(folder, {});
    const persist = join(folder, "state");
    const adminKey = await seedDatabase(config, persist, rows);
    process.env.MINIFLARE_WORKERD_V8_FLAGS = `--max-heap-size=${MAX_HEAP_MEGABYTES}`;
    const variable = (value: string) => ({ type: "plain_text" as const, value });
    const server = { hostname: "127.0.0.1", port: 0 };
    const worker = await unstable_startWorker({
      config,
      bindings: { PUBLIC_PREDICT: variable("true"), TOKEN_KEYS: variable(TOKEN_KEYS), ENGINE: variable(engine) },
      dev: { server, inspector: server, logLevel: "none", watch: false, persist },
    });
    try {
      const [url, inspectorUrl] = [await worker.url, await worker.inspectorUrl];
      if (!inspectorUrl) throw new Error("wrangler started the Worker without an inspector.");
      const health = async () => healthSchema.parse(await (await fetch(new URL("/healthz", url))).json());
      const nudge = async () => void (await (await fetch(new URL("/v1/nothing", url))).arrayBuffer());
      // The isolate exists after its first response. This one loads nothing.
      await nudge();
      const inspector = await connectInspector(inspectorUrl, nudge);
      try {
        return await use({
          url,
          adminKey,
          load: async () => void (await health()),
          waitingTokens: async () => (await health()).waitingTokens,
          async inUse() {
            const { heapBytes } = await health();
            return { wasm: heapBytes, ...(await inspector.memory(true)) };
          },
          async sampleDuring(step) {
            const samples: JsMemory[] = [];
            const add = (sample: JsMemory) => void samples.push(sample);
            const timer = setInterval(() => inspector.memory(false).then(add, () => {}), SAMPLE_EVERY_MS);
            await step().finally(() => clearInterval(timer));
            add(await inspector.memory(false));
            const { heapBytes } = await health();
            return samples.map((sample) => ({ wasm: heapBytes, ...sample }));
          },
        });
      } finally {
        inspector.close();
      }
    } finally {
      await worker.dispose();
    }
  } finally {
    // Later benches of this process start other Workers.
    if (flags === undefined) delete process.env.MINIFLARE_WORKERD_V8_FLAGS;
    else process.env.MINIFLARE_WORKERD_V8_FLAGS = flags;
    await removeTempFolder(folder);
  }
}
