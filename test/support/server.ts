import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { migrateDatabase, type OpenDatabase, openDatabase } from "../../node/server/open-database.ts";
import { startProgram, waitForResponse } from "./processes.ts";

/** The runtimes that run `xpeft serve`. */
export type ServerRuntime = "node" | "deno" | "bun";

const bin = (name: string): string => join("node_modules", ".bin", name);

/** How each runtime runs a program, as docs/platforms.md says. */
const COMMANDS: Readonly<Record<ServerRuntime, readonly [program: string, ...args: string[]]>> = {
  node: [process.execPath],
  deno: [bin("deno"), "run", "-A"],
  bun: [bin("bun")],
};

/** Starts `xpeft serve` from the sources, whether it can serve or not. */
export function spawnServe(args: readonly string[], env: NodeJS.ProcessEnv = {}, runtime: ServerRuntime = "node") {
  const [program, ...before] = COMMANDS[runtime];
  return startProgram(program, [...before, "cli/xpeft.ts", "serve", ...args], {
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", ...env },
  });
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

const READY = /^Ready: http:\/\/.*:(\d+)\/$/m;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts `xpeft serve`, and waits until it says that it is ready. */
export async function startServe(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  runtime: ServerRuntime = "node",
): Promise<ServeProcess> {
  const { child, output } = spawnServe(args, env, runtime);
  running.add(child);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.stderr.on("data", () => {
    const [, port] = READY.exec(output.stderr) ?? [];
    if (port !== undefined) resolve(Number(port));
  });
  child.once("close", (code) => {
    running.delete(child);
    reject(new Error(`xpeft serve ended with ${code}:\n${output.stderr}`));
  });
  const port = await promise;
  return {
    url: `http://localhost:${port}`,
    port,
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

/** Returns the URL of the database file in a folder. */
export const databaseIn = (folder: string): string => `file:${join(folder, "xpeft.db")}`;

/** What differs from `xpeft serve` without options. */
export interface ServeOptions {
  /** The folder of the database file. */
  readonly folder: string;
  /** The database in place of that file. */
  readonly database?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts `xpeft serve` on any free port, and waits until it is healthy. */
export async function serveProcess({ folder, database, args = [], env = {} }: ServeOptions): Promise<ServeProcess> {
  const server = await startServe(["--port", "0", "--database", database ?? databaseIn(folder), ...args], env);
  await waitForResponse(`${server.url}/healthz`);
  return server;
}

/** Opens the database of a server beside it, with its migrations applied. */
export async function openBeside(url: string): Promise<OpenDatabase> {
  const opened = await openDatabase(url);
  await migrateDatabase(opened);
  return opened;
}
