import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** The Python of `training/`. */
// Joined, not resolved: a virtual environment's Python is a link, and its target is another Python.
export const python = process.env.XPEFT_PYTHON ?? join(import.meta.dirname, "../../training/.venv/bin/python");

/** Why tests with Python are skipped; undefined if Python exists. */
export const missingPython = existsSync(python)
  ? undefined
  : `needs the training half's Python (${python}; XPEFT_PYTHON names another)`;

/**
 * Runs a Python script without blocking servers of this process.
 *
 * @param input the script's standard input, as JSON
 * @returns its standard output, parsed as JSON
 */
export async function runPython(script: string, input: unknown, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const child = spawn(python, [script], { env: { ...process.env, ...env } });
  child.stdin.end(JSON.stringify(input));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
