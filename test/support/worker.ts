import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { createTestHarness, type TestHarness } from "wrangler";
import { buildPages } from "../../scripts/build-pages.mjs";
import { SCOPES } from "../../src/auth/access.ts";
import { generateKey, type NewKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { createPush, type Push } from "../../src/storage/push.ts";
import { makeFolder, removeFolder } from "./folders.ts";
import { prebuilt } from "./prebuilt.ts";

const MIGRATIONS = "schema/migrations";

/** What profile tokens are signed with in tests, unless a test says otherwise. */
export const TOKEN_KEYS = `new:${Buffer.alloc(32, 1).toString("base64")},old:${Buffer.alloc(32, 2).toString("base64")}`;

/** What of a key nobody else may see. It may have underscores of its own. */
export const secretOf = (key: string): string => key.slice("xpk_0123456789abcdef_".length);

/** How a request is made; by a key for everything unless another, or null for none, is given. */
export interface Asking {
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
}

/** The Worker as it is deployed, bundled by wrangler and run in workerd behind a real server. */
export interface RunningWorker {
  readonly url: URL;
  readonly db: D1Database;
  /** All databases, by their numbers; `db` is the first one. */
  readonly dbs: readonly D1Database[];
  readonly push: Push;
  readonly harness: TestHarness;
  /** A key for everything. */
  readonly adminKey: string;
  makeKey(parts?: Partial<NewKey>): Promise<string>;
  ask(method: string, path: string, asking?: Asking): Promise<Response>;
  get(path: string, asking?: Asking): Promise<Response>;
  predict(body: unknown, asking?: Asking): Promise<Response>;
  close(): Promise<void>;
}

/** What is otherwise than in the deploy. */
export interface WorkerOptions {
  readonly vars?: Record<string, string>;
  /** Another Worker than the deploy's. */
  readonly main?: string;
  /** The folder of another bundle. */
  readonly bundle?: string;
  /** Requests of one caller in a minute. */
  readonly rateLimit?: number;
  /** Learnings of one caller in a minute. */
  readonly learnLimit?: number;
  /** Whether D1 is bound. */
  readonly database?: boolean;
  /** How many D1 databases are bound, to spread profiles over; one unless it is said. */
  readonly databases?: number;
  /** Whether the bundle's files are bound. */
  readonly assets?: boolean;
}

/** Applies the migrations as wrangler would. */
export async function migrate(db: D1Database): Promise<void> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
  for (const file of files) {
    const statements = (await readFile(join(MIGRATIONS, file), "utf8")).split("--> statement-breakpoint");
    await db.batch(statements.map((statement) => db.prepare(statement)));
  }
}

/** The deploy's configuration, changed as a test wants it. */
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
  }: WorkerOptions,
): Promise<string> {
  const path = join(folder, "wrangler.toml");
  // Vitest has built them for all test files; a bench has not.
  if (!process.env.VITEST) await buildPages();
  let config = (await readFile("wrangler.toml", "utf8"))
    // The pages are built already, without a process of their own for each Worker.
    .replace(/^\[build\]\n(.+\n)+/m, "")
    .replace(/^main = .*$/m, `main = ${JSON.stringify(resolve(main))}`)
    .replace(/^directory = .*$/m, `directory = ${JSON.stringify(resolve(bundle ?? "bundles/minilm-l6-v2"))}`)
    // A built Worker's modules have a hash before their names.
    .replace(/^globs = .*$/gm, (globs) => globs.replace(/"\*\*\/([^"]+)"/g, '"**/$1", "**/*-$1"'))
    .replace(/limit = 6000/, `limit = ${rateLimit ?? 1_000_000}`)
    .replace(/limit = 20/, `limit = ${learnLimit ?? 1_000_000}`);
  if (!database) config = config.replace(/^\[\[d1_databases\]\]\n(.+\n)+/m, "");
  for (let number = 1; number < databases; number++) {
    config += `\n[[d1_databases]]\nbinding = "DB_${number}"\ndatabase_name = "xpeft-${number}"\n`;
  }
  if (!assets) config = config.replace(/^binding = "ASSETS"$\n/m, "").replace(/^run_worker_first = .*$\n/m, "");
  await writeFile(path, config);
  return path;
}

/** Starts the Worker on a free port with an empty, migrated database, or several that each know their places. */
export async function startWorker(options: WorkerOptions = {}): Promise<RunningWorker> {
  const folder = await makeFolder("xpeft-test-");
  const configPath = await configFor(folder, options);
  const vars = { PUBLIC_PREDICT: "true", CORS_ORIGINS: "", TOKEN_KEYS, ...options.vars };
  const prebuiltWorkerDir = await prebuilt(options.main ?? "functions/index.ts", configPath);
  const harness = createTestHarness({
    workers: [{ configPath, vars, ...(prebuiltWorkerDir && { prebuiltWorkerDir }) }],
  });
  const { url } = await harness.listen();
  const env = await harness.getWorker<{ DB: D1Database; [name: `DB_${number}`]: D1Database }>().getEnv();
  const { DB: db } = env;
  const { databases = 1 } = options;
  const others = Array.from({ length: databases - 1 }, (_, place) => env[`DB_${place + 1}`]);
  const dbs = [db, ...others].filter((one) => one !== undefined);

  async function makeKey(parts: Partial<NewKey> = {}): Promise<string> {
    const made = { name: "test", scopes: SCOPES, task: null, profilePrefix: "", expiresAt: null, ...parts };
    const { key, row } = await generateKey(made);
    await createKeyStore(drizzle(db)).add(row);
    return key;
  }
  for (const [number, one] of dbs.entries()) {
    await migrate(one);
    if (databases > 1) await one.exec(`INSERT INTO shard (number, count) VALUES (${number}, ${databases})`);
  }
  const adminKey = db ? await makeKey() : "";

  function ask(method: string, path: string, { body, key = adminKey, headers = {} }: Asking = {}): Promise<Response> {
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
    makeKey,
    ask,
    get: (path, asking) => ask("GET", path, asking),
    predict: (body, asking) => ask("POST", "/v1/predict", { body, ...asking }),
    async close() {
      await harness.close();
      await removeFolder(folder);
    },
  };
}
