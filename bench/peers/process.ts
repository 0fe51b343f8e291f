import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { PeerMissing } from "./peer.ts";

/** A program to start. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** A server in a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  /** Where it listens. */
  readonly url: string;
  close(): Promise<void>;
}

/** What programs say that lack a package, or a native library for this platform. */
const LACKS = /^.*(Cannot find (module|package)|No module named|ERR_DLOPEN_FAILED|nor to be had from the hub).*$/m;

function failure({ file, args }: Program, stderr: string): Error {
  const lacking = LACKS.exec(stderr)?.[0].trim();
  if (lacking !== undefined) return new PeerMissing(lacking);
  return new Error(`${[file, ...args].join(" ")} failed:\n${stderr}`);
}

/** @throws PeerMissing if the program lacks a package */
export async function runToEnd(program: Program): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program.file, [...program.args], { cwd: program.cwd });
    return stdout;
  } catch (error) {
    throw failure(program, error instanceof Error && "stderr" in error ? String(error.stderr) : String(error));
  }
}

/**
 * Starts a server, which says `{"port": …}` on its first line when it is ready.
 *
 * @throws PeerMissing if it lacks a package
 */
export async function startServer(program: Program): Promise<ServerProcess> {
  const child = spawn(program.file, program.args, { cwd: program.cwd, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const closed = once(child, "close").catch((error: unknown) => {
    stderr += String(error);
  });
  const firstLine = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
  const line = await Promise.race([firstLine.then(([said]) => said), closed.then(() => null)]);
  if (line === null || child.pid === undefined) throw failure(program, stderr);
  const { port } = JSON.parse(line) as { port: number };
  return {
    pid: child.pid,
    url: `http://127.0.0.1:${port}`,
    async close() {
      child.kill();
      await closed;
    },
  };
}
