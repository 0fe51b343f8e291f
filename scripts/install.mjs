// Plain JavaScript for Node 20 without dependencies: it runs before there are any.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Path of the Node that runs all but these scripts. It is a dependency: wrangler needs a newer Node than many have. */
export const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

/** Paths of the training half, its virtual environment and the Python in there. */
export const training = join(root, "training");
export const venv = join(training, ".venv");
export const python = process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");

/** Environment variables that keep wrangler from asking questions, sending usage data and looking for updates. */
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

/** Path of wrangler's script. */
export const wrangler = join(root, "node_modules", "wrangler", "bin", "wrangler.js");

const running = new Set();

// If one installation fails, the process exits. The other one must stop with it.
process.once("exit", () => {
  for (const child of running) child.kill();
});

/** Runs a command to its end. Returns whether it succeeded, and the error if it did not start. */
function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, options);
    running.add(child);
    const end = (result) => {
      running.delete(child);
      resolve(result);
    };
    child.once("error", (error) => end({ passed: false, error }));
    child.once("close", (code) => end({ passed: code === 0 }));
  });
}

/** Returns whether every package has its locked version. Times would not tell: a checkout changes the lockfile's. */
function areDependenciesInstalled() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(node) || !existsSync(installed)) return false;
  const packagesOf = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
  const present = packagesOf(installed);
  return Object.entries(packagesOf(join(root, "package-lock.json"))).every(
    ([path, { version, optional }]) => path === "" || optional || present[path]?.version === version,
  );
}

/** Installs the locked dependencies, if some are missing or have another version. */
export async function installDependencies() {
  if (areDependenciesInstalled()) return;

  // Standard output is for the command's result.
  console.error("Installing dependencies…");
  // npm passes its own path to scripts. Without npm, as in `node scripts/…`, it must be on the path.
  const npm = process.env.npm_execpath;
  const stdio = ["inherit", process.stderr.fd, "inherit"];
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const { error, passed } = npm?.endsWith(".js")
    ? await run(process.execPath, [npm, ...args], { cwd: root, stdio })
    : await run("npm", args, { cwd: root, stdio, shell: process.platform === "win32" });
  if (error) fail(`npm cannot be run (${error.message}). Install Node 20 or newer together with npm.`);
  if (!passed) fail("npm ci failed; its own message is above. Is the package registry reachable?");
}

const OLDEST_PYTHON = [3, 11];

/** Returns the first Python on the path that is new enough. */
function findPython() {
  const program = "import sys; print(*sys.version_info[:2])";
  for (const name of ["python3", "python3.13", "python3.12", "python3.11", "python"]) {
    const { status, stdout } = spawnSync(name, ["-c", program], { encoding: "utf8" });
    const [major, minor] = status === 0 ? stdout.trim().split(" ").map(Number) : [0, 0];
    if (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]) return name;
  }
  return fail(
    "The training half needs Python 3.11 or newer: python3 on the path, with its venv module. To test without it: npm test -- --only=ts",
  );
}

/** Creates the training half's virtual environment, if it is missing or its requirements have changed. */
export async function installTraining() {
  const hash = createHash("sha256");
  for (const file of ["requirements.lock", "pyproject.toml"]) hash.update(readFileSync(join(training, file)));
  const wanted = hash.digest("hex");
  const mark = join(venv, ".installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;

  const found = findPython();
  console.error("Installing the training half…");
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(venv, { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const steps = [
    [found, ["-m", "venv", venv]],
    [python, [...pip, "-r", "requirements.lock"]],
    [python, [...pip, "--no-deps", "-e", "."]],
  ];
  const stdio = ["inherit", process.stderr.fd, "inherit"];
  for (const [command, args] of steps) {
    const { error, passed } = await run(command, args, { cwd: training, env: quietEnv, stdio });
    if (error) fail(`${command} cannot be run: ${error.message}`);
    if (!passed) fail(`${command} ${args.join(" ")} failed; its own message is above.`);
  }
  writeFileSync(mark, wanted);
}
