import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { getPlatformProxy, unstable_startWorker } from "wrangler";
import { z } from "zod";
import { SCOPES } from "../../src/auth/access.ts";
import { generateKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import type { NewProfile } from "../../src/profiles/profile.ts";
import type { NewTask } from "../../src/profiles/task.ts";
import { createPush } from "../../src/storage/push.ts";
import { configFor, migrate, TOKEN_KEYS } from "../../test/support/worker.ts";
import { stayOffline } from "../isolate.ts";
import { connectInspector, type JsMemory } from "./inspector.ts";

/** Memory of a whole isolate, in bytes. */
export interface IsolateMemory extends JsMemory {
  /** WebAssembly's linear memory of encoder and adapter pool, which never gets smaller. */
  readonly wasm: number;
}

/** The deploy's Worker in an isolate that can be looked into. */
export interface InspectedWorker {
  readonly url: URL;
  /** A key for everything. */
  readonly adminKey: string;
  /** Loads the bundle if nothing has yet. */
  load(): Promise<void>;
  /** What is in use once garbage is collected. */
  inUse(): Promise<IsolateMemory>;
  /**
   * Does something, and samples the memory meanwhile and at its end, nothing collected. workerd answers an inspector
   * between two events of the isolate: not within one text's run, nor while the bundle loads, but as soon as it has.
   *
   * @returns the samples, each with the WebAssembly memory that there is at the end: it never gets smaller, so none has more
   */
  sampled(step: () => Promise<unknown>): Promise<IsolateMemory[]>;
}

/** All of an isolate, with the room that V8 keeps between objects. */
export const wholeOf = ({ wasm, heap, outside }: IsolateMemory): number => wasm + heap + outside;

/** What of an isolate is in use. */
export const usedOf = ({ wasm, used, outside }: IsolateMemory): number => wasm + used + outside;

const healthSchema = z.object({ heapBytes: z.number() });

/** Puts tasks, their profiles and a key for everything into the database that a Worker is then started on. */
async function fill(configPath: string, state: string, rows: readonly Rows[]): Promise<{ adminKey: string }> {
  const proxy = await getPlatformProxy<{ DB: D1Database }>({ configPath, persist: { path: join(state, "v3") } });
  try {
    await migrate(proxy.env.DB);
    const push = createPush(drizzle(proxy.env.DB));
    for (const { task, profiles } of rows) await push(task, profiles);
    const whole = { name: "bench", scopes: SCOPES, task: null, profilePrefix: "", expiresAt: null };
    const { key, row } = await generateKey(whole);
    await createKeyStore(drizzle(proxy.env.DB)).add(row);
    return { adminKey: key };
  } finally {
    await proxy.dispose();
  }
}

/** What an isolate is to live within; the platform holds it to 128. */
export const MOST_MEGABYTES = 100;
/** WebAssembly's memory once 512 tokens have been read, and about what lies outside of it and of V8's heap. */
const [WASM_MEGABYTES, OUTSIDE_MEGABYTES] = [62, 10];

/**
 * What V8's heap is held to: the rest, 28 MB. V8 left alone would rather grow than collect garbage, so the largest that it
 * gets tells nothing about what the Worker needs. A Worker that needs more than the rest crashes, and the bench fails; so
 * the figure says that an isolate lives within {@link MOST_MEGABYTES}, not that it would stay there by itself.
 */
const MOST_HEAP_MEGABYTES = MOST_MEGABYTES - WASM_MEGABYTES - OUTSIDE_MEGABYTES;

const SAMPLE_EVERY_MS = 50;

/** A task and its profiles. */
export interface Rows {
  readonly task: NewTask;
  readonly profiles: readonly NewProfile[];
}

/** Starts the deploy's Worker with an inspector and these rows, and stops it when all is done. */
export async function withInspected<Result>(
  rows: readonly Rows[],
  use: (worker: InspectedWorker) => Promise<Result>,
): Promise<Result> {
  stayOffline();
  const { MINIFLARE_WORKERD_V8_FLAGS: flags } = process.env;
  const folder = await mkdtemp(join(tmpdir(), "xpeft-memory-"));
  try {
    const config = await configFor(folder, {});
    const persist = join(folder, "state");
    const { adminKey } = await fill(config, persist, rows);
    process.env.MINIFLARE_WORKERD_V8_FLAGS = `--max-heap-size=${MOST_HEAP_MEGABYTES}`;
    const variable = (value: string) => ({ type: "plain_text" as const, value });
    const running = await unstable_startWorker({
      config,
      bindings: { PUBLIC_PREDICT: variable("true"), TOKEN_KEYS: variable(TOKEN_KEYS) },
      dev: {
        server: { hostname: "127.0.0.1", port: 0 },
        inspector: { hostname: "127.0.0.1", port: 0 },
        logLevel: "none",
        watch: false,
        persist,
      },
    });
    try {
      const [url, inspectorUrl] = [await running.url, await running.inspectorUrl];
      if (!inspectorUrl) throw new Error("wrangler has started the Worker without an inspector.");
      const health = async () => healthSchema.parse(await (await fetch(new URL("/healthz", url))).json());
      const nudge = async () => void (await (await fetch(new URL("/v1/nothing", url))).arrayBuffer());
      // There is an isolate once it has answered; this loads nothing.
      await nudge();
      const inspector = await connectInspector(inspectorUrl, nudge);
      try {
        return await use({
          url,
          adminKey,
          async load() {
            await health();
          },
          async inUse() {
            const { heapBytes } = await health();
            return { wasm: heapBytes, ...(await inspector.memory(true)) };
          },
          async sampled(step) {
            const samples: JsMemory[] = [];
            const stepped = step().finally(() => clearInterval(sampling));
            const sampling = setInterval(() => {
              inspector.memory(false).then(
                (sample) => samples.push(sample),
                () => {},
              );
            }, SAMPLE_EVERY_MS);
            await stepped;
            samples.push(await inspector.memory(false));
            const { heapBytes } = await health();
            return samples.map((sample) => ({ wasm: heapBytes, ...sample }));
          },
        });
      } finally {
        inspector.close();
      }
    } finally {
      await running.dispose();
    }
  } finally {
    // Other benches of the same run start other Workers.
    if (flags === undefined) delete process.env.MINIFLARE_WORKERD_V8_FLAGS;
    else process.env.MINIFLARE_WORKERD_V8_FLAGS = flags;
    await rm(folder, { recursive: true, force: true });
  }
}
