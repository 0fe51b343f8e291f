// Plain JavaScript for Node 20: what the local Worker needs, made before the first start and whenever it has to be.
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, node, quietEnv, root, wrangler } from "./install.mjs";

/** Settings of the local Worker alone. */
const LOCAL_SETTINGS = join(root, ".wrangler", "xpeft-dev.env");

/** What the local database follows from. */
const SOURCES = ["schema/migrations", "bundles/demo", "bundles/minilm-l6-v2/manifest.json"];

/** Lies with the database, so that it goes when the database is deleted. */
const MARK = join(root, ".wrangler", "state", "prepared");

function filesOf(path) {
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

/** Runs a step to its end; what it says is shown only if it fails. */
function step(name, args) {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd: root, env: quietEnv, encoding: "utf8" });
  if (status !== 0) fail(`${name} failed:\n${stdout}${stderr}`);
  return stdout;
}

/** Migrates and seeds the local database, unless it was already from these very sources. */
export function prepareDatabase() {
  const wanted = hashOfSources();
  if (existsSync(MARK) && readFileSync(MARK, "utf8") === wanted) return;
  step("Migrating the local database", [wrangler, "d1", "migrations", "apply", "DB", "--local"]);
  process.stdout.write(step("Seeding the demo", [join(root, "cli", "xpeft.ts"), "seed"]));
  writeFileSync(MARK, wanted);
}

/**
 * Settings with which the local Worker predicts without a key and signs profile tokens. They are made once, so that a
 * token outlives the Worker that made it.
 *
 * @returns files for `wrangler dev --env-file`; a later one overrides an earlier one
 */
export function prepareSettings() {
  if (!existsSync(LOCAL_SETTINGS)) {
    mkdirSync(dirname(LOCAL_SETTINGS), { recursive: true });
    const lines = ['PUBLIC_PREDICT="true"', `TOKEN_KEYS="local:${randomBytes(32).toString("base64")}"`];
    writeFileSync(LOCAL_SETTINGS, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  }
  // With --env-file, wrangler no longer looks for the files that it reads by itself: .dev.vars, or else the other two.
  const own = existsSync(join(root, ".dev.vars")) ? [".dev.vars"] : [".env", ".env.local"];
  // Node reads --env-file too, even behind a script's name, and ends where there is no such file.
  return [LOCAL_SETTINGS, ...own.map((name) => join(root, name)).filter((path) => existsSync(path))];
}
