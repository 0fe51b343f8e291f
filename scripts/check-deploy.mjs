// `npm run deploy:check`: builds what a deploy would upload and holds it against the platform's limits.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, node, quietEnv, root, wrangler } from "./install.mjs";

const MIB = 2 ** 20;
const SCRIPT_LIMIT = 64 * MIB;
const ASSET_LIMIT = 25 * MIB;

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, bytes: statSync(path).size }));
}

const mib = (bytes) => `${(bytes / MIB).toFixed(2)} MiB`;

const out = mkdtempSync(join(tmpdir(), "xpeft-deploy-"));
try {
  const args = [wrangler, "deploy", "--dry-run", "--outdir", out];
  const { status } = spawnSync(node, args, { cwd: root, env: quietEnv, stdio: "inherit" });
  if (status !== 0) fail("wrangler deploy --dry-run failed; its own message is above.");

  // Source maps and wrangler's notes lie beside what is uploaded.
  const script = filesIn(out).filter(({ path }) => !path.endsWith(".map") && !path.endsWith("README.md"));
  const scriptBytes = script.reduce((sum, { bytes }) => sum + bytes, 0);
  const assets = filesIn(join(root, "bundles", "minilm-l6-v2"));
  const largest = assets.reduce((a, b) => (b.bytes > a.bytes ? b : a));

  console.log(`Script ${mib(scriptBytes)} of ${mib(SCRIPT_LIMIT)}.`);
  console.log(`Assets ${assets.length}, the largest ${mib(largest.bytes)} of ${mib(ASSET_LIMIT)}.`);
  if (scriptBytes > SCRIPT_LIMIT) fail("The script is larger than the platform takes.");
  if (largest.bytes > ASSET_LIMIT) fail(`${largest.path} is larger than the platform takes.`);
} finally {
  rmSync(out, { recursive: true, force: true });
}
