import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** The training half's Python. */
// Joined and not resolved: a virtual environment's Python is a link, and followed it would be another Python.
export const python = process.env.XPEFT_PYTHON ?? join(import.meta.dirname, "../../training/.venv/bin/python");

/** Why there is no Python to test with; undefined where there is one. */
export const withoutPython = existsSync(python)
  ? undefined
  : `needs the training half's Python (${python}; XPEFT_PYTHON names another)`;

/**
 * Runs a Python script, while whatever this process serves goes on answering.
 *
 * @param input what the script reads, as JSON
 * @returns what it wrote, read as JSON
 */
export async function runPython(script: string, input: unknown, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const child = spawn(python, [script], { env: { ...process.env, ...env } });
  child.stdin.end(JSON.stringify(input));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
