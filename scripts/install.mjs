// Plain JavaScript for Node 20 without dependencies: it runs before there are any.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** The Node that everything but these scripts runs on; it is a dependency, as wrangler needs a newer one than many have. */
export const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

/** The training half, and the Python that its virtual environment has. */
export const training = join(root, "training");
export const venv = join(training, ".venv");
export const python = process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");

/** The environment of wrangler: it asks nothing, sends nothing and looks for no update. */
export const quietEnv = {
  ...process.env,
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** Ends the script with a message on stderr. */
export function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}

/** Arguments that run a program of node_modules by name. */
export const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");

/** Installs the dependencies as locked where they are missing or older than the lockfile. */
export function installDependencies() {
  const lockfile = join(root, "package-lock.json");
  const installed = join(root, "node_modules", ".package-lock.json");
  const upToDate =
    existsSync(node) && existsSync(installed) && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs;
  if (upToDate) return;

  // Standard output is for what a command answers.
  console.error("Installing dependencies…");
  // npm tells the scripts that it runs where it is; a bare `node scripts/…` has to find it.
  const npm = process.env.npm_execpath;
  const stdio = ["inherit", process.stderr.fd, "inherit"];
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const { error, status } = npm?.endsWith(".js")
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio })
    : spawnSync("npm", args, { cwd: root, stdio, shell: process.platform === "win32" });
  if (error) fail(`npm cannot be run (${error.message}). Install Node 20 or newer together with npm.`);
  if (status !== 0) fail("npm ci failed; its own message is above. Is the package registry reachable?");
}
