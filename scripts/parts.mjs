// Runs the parts of a check, which are commands with names, and prints a summary.
import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import { quietEnv, root } from "./install.mjs";

/**
 * A command with a name.
 *
 * @typedef {object} Part
 * @property {string} name
 * @property {string} command
 * @property {string[]} args
 * @property {string} [cwd] working folder; by default the project's root
 * @property {Record<string, string>} [env] added to the environment
 * @property {boolean} [live] whether output is shown as it arrives; otherwise it is shown when the part ends
 * @property {boolean} [background] whether it runs at a lower priority than other parts
 * @property {RegExp} [noise] output that is not shown
 */

/**
 * How a part ended. remarks: what the summary says about it, such as the tests that failed.
 *
 * @typedef {{ name: string, passed: boolean, seconds: number, remarks?: string[] }} Result
 */

const children = new Set();

// Ctrl-C reaches the children too, but a closed terminal or a kill of this process does not.
for (const signal of ["SIGTERM", "SIGHUP"]) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal);
    process.exit(1);
  });
}

/**
 * Runs a part to its end.
 *
 * @param {Part} part
 * @returns {Promise<Result>}
 */
export async function runPart({ name, command, args, cwd = root, env = {}, live = false, background = false, noise }) {
  const start = Date.now();
  const stdio = live ? "inherit" : ["ignore", "pipe", "pipe"];
  if (live) console.log(`\n— ${name} —`);
  const child = spawn(command, args, { cwd, env: { ...quietEnv, ...env }, stdio });
  children.add(child);
  if (background && child.pid !== undefined) setPriority(child.pid, 5);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const passed = await new Promise((resolve) => {
    child.once("error", (error) => {
      output += `${error.message}\n`;
      resolve(false);
    });
    child.once("close", (code) => resolve(code === 0));
  });
  children.delete(child);
  const seconds = Math.round((Date.now() - start) / 1000);
  if (noise) output = output.replace(noise, "");
  if (!live || output) console.log(`\n— ${name} (${passed ? "" : "FAILED, "}${seconds} s) —\n${output.trim()}`);
  return { name, passed, seconds };
}

/**
 * Runs parts one after another. A part that fails does not stop the others.
 *
 * @param {readonly Part[]} parts
 * @returns {Promise<Result[]>}
 */
export async function runInTurn(parts) {
  const results = [];
  for (const part of parts) results.push(await runPart(part));
  return results;
}

/**
 * Prints how each part ended and how long all took together. Sets the exit status.
 *
 * @param {string} command name of the command that took the time
 * @param {readonly Result[]} results
 * @param {number} start the time in milliseconds at which the command began
 */
export function summarise(command, results, start) {
  const failed = results.filter(({ passed }) => !passed);
  console.log("\nSummary");
  for (const { name, passed, seconds, remarks = [] } of results) {
    console.log(`  ${passed ? "ok    " : "FAILED"}  ${name} (${seconds} s)`);
    for (const remark of remarks) console.log(`            ${remark}`);
  }
  console.log(`${results.length - failed.length} checks passed, ${failed.length} failed`);
  const seconds = Math.round((Date.now() - start) / 1000);
  console.log(`${command} took ${Math.floor(seconds / 60)} min ${seconds % 60} s`);
  if (failed.length > 0) process.exitCode = 1;
}
