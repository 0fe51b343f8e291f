// `npm run deploy:check`: builds what a deploy uploads, with ONNX Runtime and without, and checks it against the limits of
// Cloudflare, and against ours.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, node, quietEnv, root, wrangler } from "./install.mjs";

const MIB = 2 ** 20;
const MAX_SCRIPT_BYTES = 64 * MIB;
const MAX_ASSET_BYTES = 25 * MIB;
const MAX_SMALL_SCRIPT_BYTES = 2e6;
/** The alias that wrangler.toml has, as a comment or not, for a build without ONNX Runtime. */
const [, from, to] = readFileSync(join(root, "wrangler.toml"), "utf8").match(
  /^(?:# )?"(onnxruntime-web.*)" = "(.*)"$/m,
);

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, bytes: statSync(path).size }));
}

const inMib = (bytes) => `${(bytes / MIB).toFixed(2)} MiB`;

/** Builds the script into a folder. Returns its bytes. */
function scriptBytesOf(folder, ...options) {
  const args = [wrangler, "deploy", "--dry-run", "--outdir", folder, ...options];
  const { status } = spawnSync(node, args, { cwd: root, env: quietEnv, stdio: "inherit" });
  if (status !== 0) fail("wrangler deploy --dry-run failed; its own message is above.");
  // wrangler writes source maps and a README beside the uploaded files.
  const script = filesIn(folder).filter(({ path }) => !path.endsWith(".map") && !path.endsWith("README.md"));
  return script.reduce((sum, { bytes }) => sum + bytes, 0);
}

const out = mkdtempSync(join(tmpdir(), "xpeft-deploy-"));
try {
  const scriptBytes = scriptBytesOf(join(out, "whole"));
  const smallBytes = scriptBytesOf(join(out, "small"), "--alias", `${from}:${to}`);
  const assets = filesIn(join(root, "dist", "assets"));
  const largest = assets.reduce((a, b) => (b.bytes > a.bytes ? b : a));

  console.log(`Script ${inMib(scriptBytes)} of ${inMib(MAX_SCRIPT_BYTES)}.`);
  console.log(`Script without ONNX Runtime ${smallBytes} bytes of ${MAX_SMALL_SCRIPT_BYTES}.`);
  console.log(`Assets ${assets.length}, the largest ${inMib(largest.bytes)} of ${inMib(MAX_ASSET_BYTES)}.`);
  if (scriptBytes > MAX_SCRIPT_BYTES) fail("The script is larger than Cloudflare accepts.");
  if (smallBytes > MAX_SMALL_SCRIPT_BYTES) fail("The script without ONNX Runtime is larger than bench/README.md says.");
  if (largest.bytes > MAX_ASSET_BYTES) fail(`${largest.path} is larger than Cloudflare accepts.`);
} finally {
  rmSync(out, { recursive: true, force: true });
}
