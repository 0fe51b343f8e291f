import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { migrateDatabase, type OpenDatabase, openDatabase } from "../../node/server/open-database.ts";
import { SCOPES } from "../../src/auth/access.ts";
import { generateKey, type NewKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { createPush } from "../../src/storage/push.ts";
import { interrupt } from "../support/processes.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";
import { TOKEN_KEYS } from "../support/worker.ts";
import { type LogLine, type Runtime, type RuntimeName, type RuntimeOptions, settingsOf } from "./runtime.ts";

/** The runtimes that run `xpeft serve`. */
export type ServerRuntime = Exclude<RuntimeName, "workerd">;

const bin = (name: string): string => join("node_modules", ".bin", name);

/** How each runtime runs a program, as docs/platforms.md says. */
const COMMANDS: Readonly<Record<ServerRuntime, readonly [program: string, ...args: string[]]>> = {
  node: [process.execPath],
  deno: [bin("deno"), "run", "-A"],
  bun: [bin("bun")],
};

/** Runs a command of `xpeft` on a runtime. Its output is piped. */
export function spawnXpeft(runtime: ServerRuntime, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const [program, ...before] = COMMANDS[runtime];
  return spawn(program, [...before, "cli/xpeft.ts", ...args], {
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", ...env },
  });
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

const READY = /^Ready: http:\/\/localhost:(\d+)\/$/m;

/** Starts a server. @returns its process and its port */
export async function startProcess(
  runtime: ServerRuntime,
  args: string[],
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void = () => {},
) {
  const child = spawnXpeft(runtime, ["serve", ...args], env);
  running.add(child);
  child.once("close", () => running.delete(child));
  if (!child.stdout || !child.stderr) throw new TypeError("the output is not piped");
  createInterface({ input: child.stdout }).on("line", onLine);
  const ready = Promise.withResolvers<number>();
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
    const [, port] = READY.exec(errors) ?? [];
    if (port !== undefined) ready.resolve(Number(port));
    // Errors of requests are lines of JSON, as those of standard output.
    for (const line of String(chunk).split("\n")) if (line.startsWith("{")) onLine(line);
  });
  child.once("close", (code) => ready.reject(new Error(`The server ended with ${code}: ${errors}`)));
  ready.promise.catch(() => {});
  return { child, port: await ready.promise };
}

/** Numbers the databases, if there are several. */
async function prepareDatabases(opened: readonly OpenDatabase[]): Promise<void> {
  for (const [number, database] of opened.entries()) {
    await migrateDatabase(database);
    if (opened.length > 1)
      await database.client.execute(`INSERT INTO shard (number, count) VALUES (${number}, ${opened.length})`);
  }
}

/** Starts `xpeft serve` on fresh libSQL files. */
export async function startServerProcess(name: ServerRuntime, options: RuntimeOptions): Promise<Runtime> {
  const { databases = 1, requests = 0, learning = 0 } = options;
  const folder = await makeTempFolder("xpeft-conformance-");
  const urls = Array.from({ length: databases }, (_, number) => `file:${join(folder, `${number}.db`)}`);
  const opened = await Promise.all(urls.map((url) => openDatabase(url)));
  await prepareDatabases(opened);
  const settings = { ...settingsOf(options), TOKEN_KEYS, RATE_LIMIT: String(requests), LEARN_LIMIT: String(learning) };
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`XPEFT_${key}`, value]));
  const lines: LogLine[] = [];
  const onLine = (line: string) => {
    if (line.startsWith("{")) lines.push(JSON.parse(line));
  };
  const argsFor = (port: number) => ["--port", String(port), "--database", ...(databases > 0 ? urls : ["none"])];
  let { child, port } = await startProcess(name, argsFor(0), env, onLine);

  const first = (): OpenDatabase => {
    const [database] = opened;
    if (!database) throw new RangeError("there is no database");
    return database;
  };
  async function makeKey(parts: Partial<NewKey> = {}): Promise<string> {
    const newKey = { name: "test", scopes: SCOPES, task: null, profilePrefix: "", expiresAt: null, ...parts };
    const { key, row } = await generateKey(newKey);
    await createKeyStore(first().db).add(row);
    return key;
  }
  return {
    name,
    url: new URL(`http://127.0.0.1:${port}`),
    adminKey: databases > 0 ? await makeKey() : "",
    makeKey,
    keys: () => createKeyStore(first().db).list(),
    push: (task, profiles) => createPush(first().db)(task, profiles),
    sql: async (statement) => void (await first().client.execute(statement)),
    logs: () => lines,
    process: {
      stop: async () => void (await interrupt(child)),
      async start() {
        ({ child, port } = await startProcess(name, argsFor(port), env, onLine));
      },
      async lock() {
        const transaction = await first().client.transaction("write");
        return () => transaction.rollback();
      },
    },
    async close() {
      await interrupt(child);
      for (const { client } of opened) client.close();
      await removeTempFolder(folder);
    },
  };
}
