// Plain JavaScript for Node 20: prepares the database and the settings of the local Worker.
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, node, quietEnv, root, wrangler } from "./install.mjs";

/** Settings that only the local Worker has. */
const LOCAL_SETTINGS = join(root, ".wrangler", "xpeft-dev.env");

/** Files that the local database is made from. */
const SOURCES = ["schema/migrations", "bundles/demo", "bundles/minilm-l6-v2/manifest.json"];

/** The folder of the local database, which wrangler uses by default. */
const DATABASE = join(root, ".wrangler", "state");

/** What the playground on this machine may do. */
const PAGE_SCOPES = ["predict", "list", "learn", "write"];

/** Returns paths of the files in a folder, or of the one file, in order. */
export function filesOf(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function hashOfSources() {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap((source) => filesOf(join(root, source)))) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** Runs a step and returns its output. The script ends with that output if the step fails. */
function runStep(name, args) {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: root, env: quietEnv, encoding: "utf8" });
  if (status !== 0) fail(`${name} failed:\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Makes a key for the playground on this machine, once a database.
 *
 * @returns a file for `wrangler dev --env-file`
 */
export function preparePageKey(folder = DATABASE) {
  const file = join(folder, "page-key.env");
  if (existsSync(file)) return file;
  const create = ["keys", "create", "--name", "playground", "--scope", ...PAGE_SCOPES, "--persist-to", folder];
  const key = runStep("Making the playground's key", [join(root, "cli", "xpeft.ts"), ...create]).trim();
  writeFileSync(file, `LOCAL_PAGE_KEY="${key}"\n`, { mode: 0o600 });
  return file;
}

/** Migrates and seeds the local database in a folder, unless it was made from the same sources before. */
export function prepareDatabase(folder = DATABASE) {
  const hash = hashOfSources();
  // The hash is in the database's folder, so deleting the database deletes it too.
  const hashFile = join(folder, "prepared");
  if (existsSync(hashFile) && readFileSync(hashFile, "utf8") === hash) return;
  const place = ["--persist-to", folder];
  runStep("Migrating the local database", [wrangler, "d1", "migrations", "apply", "DB", "--local", ...place]);
  process.stdout.write(runStep("Seeding the demo", [join(root, "cli", "xpeft.ts"), "seed", ...place]));
  writeFileSync(hashFile, hash);
}

/**
 * Writes settings that let the local Worker predict without a key and sign profile tokens. They are written once, so
 * that tokens stay valid after a restart.
 *
 * @returns files for `wrangler dev --env-file`; a later file overrides an earlier one
 */
export function prepareSettings() {
  if (!existsSync(LOCAL_SETTINGS)) {
    mkdirSync(dirname(LOCAL_SETTINGS), { recursive: true });
    const lines = ['PUBLIC_PREDICT="true"', `TOKEN_KEYS="local:${randomBytes(32).toString("base64")}"`];
    writeFileSync(LOCAL_SETTINGS, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  }
  // With --env-file, wrangler does not read its default files: .dev.vars, or without it the other two.
  const defaults = existsSync(join(root, ".dev.vars")) ? [".dev.vars"] : [".env", ".env.local"];
  // Node reads --env-file too, even after the script's name, and exits if the file does not exist.
  return [LOCAL_SETTINGS, ...defaults.map((name) => join(root, name)).filter((path) => existsSync(path))];
}
