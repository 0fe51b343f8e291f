import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readBundle } from "../node/files.ts";
import type { NewProfile } from "../src/profiles/profile.ts";
import type { NewTask } from "../src/profiles/task.ts";
import { profilesOf, taskFor } from "../test/support/rows.ts";
import { makeTempFolder, removeTempFolder } from "../test/support/temp-folders.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "../test/support/worker.ts";
import { BUNDLE } from "./graphs.ts";
import type { Measurements } from "./worker/index.ts";

const GRAPHS = "bench/graphs";

type Params<Name extends keyof Measurements> = Parameters<Measurements[Name]>[0];
type Result<Name extends keyof Measurements> = Awaited<ReturnType<Measurements[Name]>>;

/** The bench's Worker in a new isolate. */
export interface BenchWorker extends RunningWorker {
  /** Runs a measurement inside the isolate. */
  measure<Name extends keyof Measurements>(name: Name, params: Params<Name>): Promise<Result<Name>>;
}

/** Options of a Worker that caches rows for as long as a bench runs. */
export const CACHED_ROWS = { vars: { CACHE_TTL_SECONDS: "999999" } } as const;

/** A task and profiles of it. */
export interface TaskRows {
  readonly task: NewTask;
  readonly profiles: readonly NewProfile[];
}

/** Pushes the task `demo` with that many profiles. */
export async function pushDemo(worker: RunningWorker, count: number, parts: Partial<NewTask> = {}): Promise<TaskRows> {
  const task = taskFor(await readBundle(BUNDLE), parts);
  const profiles = profilesOf(count);
  await worker.push(task, profiles);
  return { task, profiles };
}

/** Stops wrangler from looking up where on the globe it runs, which prints a warning without a network. */
export function stayOffline(): void {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
}

/**
 * Starts the bench's Worker, passes it to `use`, and stops it. Its assets are the bundle and the bench's graphs.
 *
 * @param options.folders more folders whose files become assets
 */
export async function withWorker<Result>(
  use: (worker: BenchWorker) => Promise<Result>,
  { folders = [], ...options }: WorkerOptions & { folders?: readonly string[] } = {},
): Promise<Result> {
  stayOffline();
  const bundle = await makeTempFolder("xpeft-bench-");
  try {
    for (const folder of [options.bundle ?? BUNDLE, GRAPHS, ...folders]) {
      for (const file of await readdir(folder)) await cp(join(folder, file), join(bundle, file));
    }
    const worker = await startWorker({ ...options, bundle, main: "bench/worker/index.ts" });
    try {
      return await use({
        ...worker,
        async measure(name, params) {
          const response = await worker.request("POST", `/bench/${name}`, { body: params });
          const result = await response.json<{ error: string }>();
          if (!response.ok) throw new Error(`Measuring ${name} failed: ${result.error}`);
          return result as never;
        },
      });
    } finally {
      await worker.close();
    }
  } finally {
    await removeTempFolder(bundle);
  }
}

/** Returns the size of a database's file in bytes, as D1 reports it: all its pages, full or not. */
export async function databaseBytes(db: D1Database): Promise<number> {
  return (await db.prepare("SELECT 1").run()).meta.size_after;
}
