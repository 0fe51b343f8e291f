import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { migrateDatabase, type OpenDatabase, openDatabase } from "../../node/server/open-database.ts";
import { SCOPES } from "../../src/auth/access.ts";
import { generateKey, type NewKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import type { Database } from "../../src/storage/database.ts";
import { freePort, start, waitForResponse } from "./processes.ts";

/** What differs from `xpeft serve` without options. */
export interface ServeOptions {
  /** The folder of the database file. */
  readonly folder: string;
  /** The database in place of that file. */
  readonly database?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The port; any free one by default. */
  readonly port?: number;
}

/** A running `xpeft serve`. */
export interface ServeProcess {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Ends it by a signal. @returns its exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Returns the URL of the database file in a folder. */
export const databaseIn = (folder: string): string => `file:${join(folder, "xpeft.db")}`;

/** Starts `xpeft serve` from the sources, and waits until it is healthy. */
export async function serveProcess({
  folder,
  database,
  args = [],
  env = {},
  port,
}: ServeOptions): Promise<ServeProcess> {
  const listening = port ?? (await freePort());
  const options = ["--port", String(listening), "--database", database ?? databaseIn(folder), ...args];
  const { child, output } = start(["cli/xpeft.ts", "serve", ...options], { env });
  const url = `http://localhost:${listening}`;
  const ended = once(child, "close").then(([code]) => {
    throw new Error(`xpeft serve ended with ${code}:\n${output.stderr}`);
  });
  await Promise.race([waitForResponse(`${url}/healthz`), ended]);
  ended.catch(() => {});
  return {
    url,
    port: listening,
    child,
    output,
    async stop(signal = "SIGTERM") {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const closed = once(child, "close");
      child.kill(signal);
      const [code] = await closed;
      return code;
    },
  };
}

/** Opens the database of a server beside it, with its migrations applied. */
export async function openBeside(url: string): Promise<OpenDatabase> {
  const opened = await openDatabase(url);
  await migrateDatabase(opened);
  return opened;
}

/** Makes a key with every scope, unless parts say otherwise. */
export async function makeKey(db: Database, parts: Partial<NewKey> = {}): Promise<string> {
  const newKey = { name: "test", scopes: SCOPES, task: null, profilePrefix: "", expiresAt: null, ...parts };
  const { key, row } = await generateKey(newKey);
  await createKeyStore(db).add(row);
  return key;
}
