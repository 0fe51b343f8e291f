import { join } from "node:path";
import { type OpenDatabase, openDatabase } from "../../node/server/open-database.ts";
import type { NewKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { createPush } from "../../src/storage/push.ts";
import { makeKey } from "../support/keys.ts";
import { type ServeProcess, type ServerRuntime, startServe } from "../support/server.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";
import { TOKEN_KEYS } from "../support/worker.ts";
import { type LogLine, type Runtime, type RuntimeOptions, settingsOf } from "./runtime.ts";

/** Returns the lines that a server has logged. Errors of requests are on standard error. */
const logLines = ({ output: { stdout, stderr } }: ServeProcess): LogLine[] =>
  [stdout, stderr].flatMap((text) =>
    text
      .split("\n")
      // The last one may not be whole.
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line)),
  );

/** Starts `xpeft serve` on fresh libSQL files. */
export async function startServerProcess(name: ServerRuntime, options: RuntimeOptions): Promise<Runtime> {
  const { databases = 1, requests = 0, learning = 0 } = options;
  const folder = await makeTempFolder("xpeft-conformance-");
  const urls = Array.from({ length: databases }, (_, number) => `file:${join(folder, `${number}.db`)}`);
  // The server itself applies the migrations, and numbers several databases.
  const opened = await Promise.all(urls.map((url) => openDatabase(url)));
  const settings = { ...settingsOf(options), TOKEN_KEYS, RATE_LIMIT: String(requests), LEARN_LIMIT: String(learning) };
  const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`XPEFT_${key}`, value]));
  const argsFor = (port: number) => ["--port", String(port), "--database", ...(databases > 0 ? urls : ["none"])];
  const servers = [await startServe(argsFor(0), env, name)];
  const current = (): ServeProcess => {
    const server = servers.at(-1);
    if (!server) throw new RangeError("there is no server");
    return server;
  };
  const { port } = current();

  const first = (): OpenDatabase => {
    const [database] = opened;
    if (!database) throw new RangeError("there is no database");
    return database;
  };
  const makeKeyHere = (parts?: Partial<NewKey>) => makeKey(first().db, parts);
  return {
    name,
    url: new URL(`http://127.0.0.1:${port}`),
    adminKey: databases > 0 ? await makeKeyHere() : "",
    makeKey: makeKeyHere,
    keys: () => createKeyStore(first().db).list(),
    push: (task, profiles) => createPush(first().db)(task, profiles),
    sql: async (statement) => void (await first().client.execute(statement)),
    logs: () => servers.flatMap(logLines),
    process: {
      stop: async () => void (await current().stop("SIGINT")),
      async start() {
        servers.push(await startServe(argsFor(port), env, name));
      },
      async lock() {
        const transaction = await first().client.transaction("write");
        return () => transaction.rollback();
      },
    },
    async close() {
      await current().stop("SIGINT");
      for (const { client } of opened) client.close();
      await removeTempFolder(folder);
    },
  };
}
