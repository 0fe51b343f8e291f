// Plain JavaScript for Node 20: the local database, made and filled before the first start and whenever it has to be.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, node, quietEnv, root, wrangler } from "./install.mjs";

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
