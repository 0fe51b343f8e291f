// `npm run audit`: checks the shipped npm packages for known vulnerabilities. Part of npm test.
import { spawnSync } from "node:child_process";
import { quietEnv, root } from "./install.mjs";
import { shippedPackages } from "./shipped.mjs";

const FAILING_SEVERITIES = ["high", "critical"];

const windows = process.platform === "win32";

/** Returns npm audit's report on all installed packages, or a message if there is none. */
function report() {
  // Windows starts npm's script only through a shell.
  const options = { cwd: root, env: quietEnv, encoding: "utf8", ...(windows && { shell: true }) };
  const { stdout, error } = spawnSync(windows ? "npm.cmd" : "npm", ["audit", "--json"], options);
  if (error) return { message: error.message };
  try {
    return JSON.parse(stdout);
  } catch {
    return { message: "npm audit printed no JSON" };
  }
}

const { vulnerabilities, message = "the registry did not answer" } = report();
if (vulnerabilities === undefined) {
  console.log(`NOT AUDITED: ${message}. Run npm run audit where the registry can be reached.`);
} else {
  const shipped = shippedPackages();
  const failing = Object.values(vulnerabilities).filter(
    ({ severity, nodes }) => FAILING_SEVERITIES.includes(severity) && nodes.some((path) => shipped.has(path)),
  );
  for (const { name, severity, range } of failing) console.error(`${severity}: ${name} ${range}`);
  console.log(`Audited ${shipped.size} shipped packages: ${failing.length} with high or critical vulnerabilities.`);
  if (failing.length > 0) {
    console.error("npm audit has the details. Run npm update NAME, or set another version in package.json.");
    process.exitCode = 1;
  }
}
