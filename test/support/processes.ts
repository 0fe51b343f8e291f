import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { quietEnv } from "../../scripts/install.mjs";

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts Node on a script; what it writes is collected. */
export function start(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; detached?: boolean } = {}) {
  const child = spawn(process.execPath, args, { ...options, env: { ...quietEnv, ...options.env } });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    written.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    written.stderr += chunk;
  });
  return { child, written };
}

/** Runs Node on a script to its end. */
export async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { child, written } = start(args, { env });
  const [code] = await once(child, "close");
  return { code, ...written };
}

/** Runs a program that is not Node's to its end. */
export async function runProgram(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const child = spawn(program, args, { ...options, env: { ...process.env, ...options.env } });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    written.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    written.stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, ...written };
}

/** Ends a process as a terminal's Ctrl-C does, and waits until it is gone. */
export async function interrupt(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const gone = once(child, "close");
  child.kill("SIGINT");
  const [code] = await gone;
  return code;
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new TypeError("a port was asked for");
  return address.port;
}

/** Asks until there is an answer. */
export async function untilAnswered(url: string, within = 60_000): Promise<Response> {
  for (const deadline = Date.now() + within; Date.now() < deadline; await sleep(200)) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return response;
  }
  throw new Error(`${url} did not answer.`);
}
