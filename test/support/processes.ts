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

interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly detached?: boolean;
}

/** Starts a program and collects its output. */
export function startProgram(program: string, args: string[], options: ProcessOptions) {
  const child = spawn(program, args, options);
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  return { child, output };
}

async function finish({ child, output }: ReturnType<typeof startProgram>): Promise<CommandResult> {
  const [code] = await once(child, "close");
  return { code, ...output };
}

/** Starts a Node script and collects its output. */
export const start = (args: string[], options: ProcessOptions = {}) =>
  startProgram(process.execPath, args, { ...options, env: { ...quietEnv, ...options.env } });

/** Runs a Node script to its end. */
export const run = (args: string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  finish(start(args, { env }));

/** Runs any other program to its end. */
export const runProgram = (program: string, args: string[], options: ProcessOptions = {}): Promise<CommandResult> =>
  finish(startProgram(program, args, { ...options, env: { ...process.env, ...options.env } }));

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
export async function waitForResponse(url: string, timeoutMs = 300_000): Promise<Response> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(200)) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return response;
  }
  throw new Error(`${url} did not respond.`);
}
