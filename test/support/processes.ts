import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { quietEnv } from "../../scripts/install.mjs";

/** A finished command's exit code and output. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a Node script and collects its output. */
export function start(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv; detached?: boolean } = {}) {
  const child = spawn(process.execPath, args, { ...options, env: { ...quietEnv, ...options.env } });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  return { child, output };
}

/** Runs a Node script to its end. */
export async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  const { child, output } = start(args, { env });
  const [code] = await once(child, "close");
  return { code, ...output };
}

/** Runs any other program to its end. */
export async function runProgram(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  const child = spawn(program, args, { ...options, env: { ...process.env, ...options.env } });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const [code] = await once(child, "close");
  return { code, ...output };
}

/** Ends a process like Ctrl-C, and waits for its exit. @returns its exit code */
export async function interrupt(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const closed = once(child, "close");
  child.kill("SIGINT");
  const [code] = await closed;
  return code;
}

/** Returns a port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new TypeError("the server listens on no port");
  return address.port;
}

/** Requests a URL until it responds with success. */
export async function waitForResponse(url: string, timeoutMs = 60_000): Promise<Response> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(200)) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return response;
  }
  throw new Error(`${url} did not respond.`);
}
