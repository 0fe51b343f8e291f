import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { createTestHarness, type TestHarness, type TestHarnessOptions } from "wrangler";
import { buildPages } from "../../scripts/build-pages.mjs";
import type { NewKey } from "../../src/auth/api-keys.ts";
import { createPush, type Push } from "../../src/storage/push.ts";
import { ENGINE_CHOICE } from "./engine-choice.ts";
import { makeKey } from "./keys.ts";
import { prebuildWorker } from "./prebuild-worker.ts";
import { makeTempFolder, removeTempFolder } from "./temp-folders.ts";

const MIGRATIONS = "schema/migrations";

/** The default keys that sign profile tokens in tests. */
export const TOKEN_KEYS = `new:${Buffer.alloc(32, 1).toString("base64")},old:${Buffer.alloc(32, 2).toString("base64")}`;

/** The second Worker's name in the harness. */
export const SECOND = "second";

/** Returns the secret part of an API key, which may contain underscores. */
export const secretOf = (key: string): string => key.slice("xpk_0123456789abcdef_".length);

/** Options of a request. The default key has every scope; null sends none. */
export interface RequestOptions {
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
}

/** The Worker as deployed: bundled by wrangler and run in workerd behind a real HTTP server. */
export interface RunningWorker {
  readonly url: URL;
  readonly db: D1Database;
  /** All databases, by their numbers; `db` is the first one. */
  readonly dbs: readonly D1Database[];
  readonly push: Push;
  readonly harness: TestHarness;
  /** A key with every scope. */
  readonly adminKey: string;
  makeKey(parts?: Partial<NewKey>): Promise<string>;
  request(method: string, path: string, options?: RequestOptions): Promise<Response>;
  get(path: string, options?: RequestOptions): Promise<Response>;
  predict(body: unknown, options?: RequestOptions): Promise<Response>;
  close(): Promise<void>;
}

/** What differs from the deploy. */
export interface WorkerOptions {
  readonly vars?: Record<string, string>;
  /** Another entry point than the deploy's. */
  readonly main?: string;
  /** The folder of another bundle. */
  readonly bundle?: string;
  /** The folder of a bundle that a second Worker, {@link SECOND}, serves beside the first from the same databases. */
  readonly secondBundle?: string;
  /** The rate limit: requests of one caller per minute. */
  readonly rateLimit?: number;
  /** The rate limit of learning: requests of one caller per minute. */
  readonly learnLimit?: number;
  /** Whether D1 is bound. */
  readonly database?: boolean;
  /** The number of D1 databases that hold profiles; 1 by default. */
  readonly databases?: number;
  /** Whether the bundle's files are bound. */
  readonly assets?: boolean;
  /** Whether ONNX Runtime is built in; else as wrangler.toml says how. */
  readonly onnxRuntime?: boolean;
  /** Other Workers that run beside it, and may have it as a service. */
  readonly beside?: TestHarnessOptions["workers"];
}

/** Applies the migrations like wrangler. */
export async function migrate(db: D1Database): Promise<void> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
  for (const file of files) {
    const statements = (await readFile(join(MIGRATIONS, file), "utf8")).split("--> statement-breakpoint");
    await db.batch(statements.map((statement) => db.prepare(statement)));
  }
}

/** Writes the configuration of the deploy with the changes of a test, for a Worker of that name. Returns its path. */
export async function configFor(
  folder: string,
  {
    main = "functions/index.ts",
    bundle,
    rateLimit,
    learnLimit,
    database = true,
    databases = 1,
    assets = true,
    onnxRuntime = true,
  }: WorkerOptions,
  name = "xpeft-edge",
): Promise<string> {
  const path = join(folder, `${name}.toml`);
  // Vitest builds the pages once for all test files; a bench does not.
  if (!process.env.VITEST) await buildPages();
  let config = (await readFile("wrangler.toml", "utf8"))
    // The pages are built already; the build command would start a process for each Worker.
    .replace(/^\[build\]\n(.+\n)+/m, "")
    .replace(/^name = .*$/m, `name = ${JSON.stringify(name)}`)
    .replace(/^main = .*$/m, `main = ${JSON.stringify(resolve(main))}`)
    .replace(/^directory = .*$/m, `directory = ${JSON.stringify(resolve(bundle ?? "bundles/minilm-l6-v2"))}`)
    // The names of a built Worker's modules start with a hash.
    .replace(/^globs = .*$/gm, (globs) => globs.replace(/"\*\*\/([^"]+)"/g, '"**/$1", "**/*-$1"'))
    .replace(/limit = (6000|20),/g, (_, usual) => {
      const limit = usual === "20" ? learnLimit : rateLimit;
      return `limit = ${limit ?? 1_000_000},`;
    });
  if (!onnxRuntime) {
    config = config
      .replace("# [alias]", "[alias]")
      .replace(/^# ("onnxruntime-web\/.*" = )"(.*)"$/m, (_, alias, path) => alias + JSON.stringify(resolve(path)));
  }
  if (!database) config = config.replace(/^\[\[d1_databases\]\]\n(.+\n)+/m, "");
  for (let number = 1; number < databases; number++) {
    config += `\n[[d1_databases]]\nbinding = "DB_${number}"\ndatabase_name = "xpeft-${number}"\n`;
  }
  if (!assets) config = config.replace(/^binding = "ASSETS"$\n/m, "").replace(/^run_worker_first = .*$\n/m, "");
  await writeFile(path, config);
  return path;
}

/** Starts the Worker on a free port with empty, migrated databases. Several databases each know their number. */
export async function startWorker(options: WorkerOptions = {}): Promise<RunningWorker> {
  const folder = await makeTempFolder("xpeft-test-");
  const configPath = await configFor(folder, options);
  const vars = { PUBLIC_PREDICT: "true", CORS_ORIGINS: "", TOKEN_KEYS, ENGINE: ENGINE_CHOICE, ...options.vars };
  const { main = "functions/index.ts", onnxRuntime = true } = options;
  const prebuiltWorkerDir = await prebuildWorker(onnxRuntime ? main : `${main}-no-onnx-runtime`, configPath);
  const built = { vars, ...(prebuiltWorkerDir && { prebuiltWorkerDir }) };
  const workers: TestHarnessOptions["workers"] = [{ configPath, ...built }, ...(options.beside ?? [])];
  if (options.secondBundle) {
    const second = await configFor(folder, { ...options, bundle: options.secondBundle }, SECOND);
    workers.push({ configPath: second, ...built });
  }
  const harness = createTestHarness({ workers });
  const { url } = await harness.listen();
  const env = await harness.getWorker<{ DB: D1Database; [name: `DB_${number}`]: D1Database }>().getEnv();
  const { DB: db } = env;
  const { databases = 1 } = options;
  const others = Array.from({ length: databases - 1 }, (_, place) => env[`DB_${place + 1}`]);
  const dbs = [db, ...others].filter((bound) => bound !== undefined);

  const makeKeyHere = (parts?: Partial<NewKey>) => makeKey(drizzle(db), parts);
  for (const [number, database] of dbs.entries()) {
    await migrate(database);
    if (databases > 1) await database.exec(`INSERT INTO shard (number, count) VALUES (${number}, ${databases})`);
  }
  const adminKey = db ? await makeKeyHere() : "";

  function request(
    method: string,
    path: string,
    { body, key = adminKey, headers = {} }: RequestOptions = {},
  ): Promise<Response> {
    return fetch(new URL(path, url), {
      method,
      headers: {
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(key && { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  }
  return {
    url,
    db,
    dbs,
    push: createPush(drizzle(db)),
    harness,
    adminKey,
    makeKey: makeKeyHere,
    request,
    get: (path, options) => request("GET", path, options),
    predict: (body, options) => request("POST", "/v1/predict", { body, ...options }),
    async close() {
      await harness.close();
      await removeTempFolder(folder);
    },
  };
}
