import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

/** This machine lacks a package, a native library for its platform, or a PLM. The message says which. */
export class MissingDependency extends Error {
  override readonly name = "MissingDependency";
}

/** A program and its arguments. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** A running server. */
export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Error messages of programs that lack a package, a native library for this platform, or a PLM. */
const MISSING =
  /^.*(Cannot find (module|package)|No module named|ERR_DLOPEN_FAILED|Error: the PLM .* gave no files).*$/m;

function failure({ file, args }: Program, stderr: string): Error {
  const missing = MISSING.exec(stderr)?.[0].trim();
  if (missing !== undefined) return new MissingDependency(missing);
  return new Error(`${[file, ...args].join(" ")} failed:\n${stderr}`);
}

/**
 * Runs a program to its end and returns its output.
 *
 * @throws MissingDependency if the program lacks a package
 */
export async function runProgram(program: Program): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program.file, [...program.args], { cwd: program.cwd });
    return stdout;
  } catch (error) {
    throw failure(program, error instanceof Error && "stderr" in error ? String(error.stderr) : String(error));
  }
}

/**
 * Starts a server that prints `{"port": …}` as its first line when it is ready.
 *
 * @throws MissingDependency if it lacks a package
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
  const line = await Promise.race([firstLine.then(([text]) => text), closed.then(() => null)]);
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
