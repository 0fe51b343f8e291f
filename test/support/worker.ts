import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { createTestHarness, type TestHarness } from "wrangler";
import { createStore, type ProfileStore } from "../../src/store.ts";

const MIGRATIONS = "schema/migrations";

/** The Worker as it is deployed, bundled by wrangler and run in workerd behind a real server. */
export interface RunningWorker {
  readonly url: URL;
  readonly db: D1Database;
  readonly store: ProfileStore;
  readonly harness: TestHarness;
  get(path: string): Promise<Response>;
  /** Sends `body` as JSON. */
  predict(body: unknown): Promise<Response>;
  close(): Promise<void>;
}

/** Applies the migrations as wrangler would. */
async function migrate(db: D1Database): Promise<void> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
  for (const file of files) {
    const statements = (await readFile(join(MIGRATIONS, file), "utf8")).split("--> statement-breakpoint");
    await db.batch(statements.map((statement) => db.prepare(statement)));
  }
}

/** The deploy's configuration with its bundle taken from another folder. */
async function configWithBundle(folder: string, bundle: string): Promise<string> {
  const path = join(folder, "wrangler.toml");
  const config = (await readFile("wrangler.toml", "utf8"))
    .replace(/^main = .*$/m, `main = ${JSON.stringify(resolve("functions/index.ts"))}`)
    .replace(/^directory = .*$/m, `directory = ${JSON.stringify(resolve(bundle))}`);
  await writeFile(path, config);
  return path;
}

/**
 * Starts the Worker on a free port with an empty, migrated database.
 *
 * @param options.vars what is set otherwise than in wrangler.toml
 * @param options.bundle the folder of another bundle than the deploy's
 */
export async function startWorker(
  options: { vars?: Record<string, string>; bundle?: string } = {},
): Promise<RunningWorker> {
  const folder = await mkdtemp(join(tmpdir(), "xpeft-test-"));
  const configPath = options.bundle === undefined ? "wrangler.toml" : await configWithBundle(folder, options.bundle);
  const harness = createTestHarness({ workers: [{ configPath, vars: options.vars ?? {} }] });
  const { url } = await harness.listen();
  const { DB: db } = await harness.getWorker<{ DB: D1Database }>().getEnv();
  await migrate(db);
  return {
    url,
    db,
    store: createStore(drizzle(db)),
    harness,
    get: (path) => fetch(new URL(path, url)),
    predict: (body) =>
      fetch(new URL("/v1/predict", url), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    async close() {
      await harness.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
