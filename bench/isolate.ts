import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, removeFolder } from "../test/support/folders.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "../test/support/worker.ts";
import { BUNDLE } from "./graphs.ts";
import type { Measures } from "./worker/index.ts";

const GRAPHS = "bench/graphs";

type Params<Name extends keyof Measures> = Parameters<Measures[Name]>[0];
type Found<Name extends keyof Measures> = Awaited<ReturnType<Measures[Name]>>;

/** A Worker of the bench in an isolate of its own. */
export interface BenchWorker extends RunningWorker {
  /** Measures inside the isolate. */
  measure<Name extends keyof Measures>(name: Name, params: Params<Name>): Promise<Found<Name>>;
}

/** Options of a Worker whose rows stay kept for as long as a bench runs. */
export const ROWS_KEPT = { vars: { CACHE_TTL_SECONDS: "999999" } } as const;

/** Keeps wrangler from looking for where on the globe it runs, and from saying so where there is no network. */
export function stayOffline(): void {
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
}

/**
 * Starts the bench's Worker, which has the deploy's bundle and the graphs of the bench for its assets, and stops it when
 * all is done.
 *
 * @param options.folders more folders whose files it is to have
 */
export async function withWorker<Result>(
  use: (worker: BenchWorker) => Promise<Result>,
  { folders = [], ...options }: WorkerOptions & { folders?: readonly string[] } = {},
): Promise<Result> {
  stayOffline();
  const bundle = await makeFolder("xpeft-bench-");
  try {
    for (const folder of [options.bundle ?? BUNDLE, GRAPHS, ...folders]) {
      for (const file of await readdir(folder)) await cp(join(folder, file), join(bundle, file));
    }
    const worker = await startWorker({ ...options, bundle, main: "bench/worker/index.ts" });
    try {
      return await use({
        ...worker,
        async measure<Name extends keyof Measures>(name: Name, params: Params<Name>): Promise<Found<Name>> {
          const response = await worker.ask("POST", `/bench/${name}`, { body: params });
          const found = await response.json();
          if (!response.ok) throw new Error(`Measuring ${name} failed: ${(found as { error: string }).error}`);
          return found as Found<Name>;
        },
      });
    } finally {
      await worker.close();
    }
  } finally {
    await removeFolder(bundle);
  }
}
