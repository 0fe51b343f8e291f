// `npm run audit`: are there known weaknesses in what is shipped? Part of npm test.
import { spawnSync } from "node:child_process";
import { quietEnv, root } from "./install.mjs";
import { shippedPackages } from "./shipped.mjs";

const FAILING = ["high", "critical"];

const windows = process.platform === "win32";

/** What npm audit says of all that is installed; or why it says nothing. */
function report() {
  // A script of Windows cannot be started by itself.
  const options = { cwd: root, env: quietEnv, encoding: "utf8", ...(windows && { shell: true }) };
  const { stdout, error } = spawnSync(windows ? "npm.cmd" : "npm", ["audit", "--json"], options);
  if (error) return { message: error.message };
  try {
    return JSON.parse(stdout);
  } catch {
    return { message: "npm audit said nothing that can be read" };
  }
}

const { vulnerabilities, message = "the registry has no answer" } = report();
if (vulnerabilities === undefined) {
  console.log(`NOT AUDITED: ${message}. Run npm run audit where the registry answers.`);
} else {
  const shipped = shippedPackages();
  const found = Object.values(vulnerabilities).filter(
    ({ severity, nodes }) => FAILING.includes(severity) && nodes.some((path) => shipped.has(path)),
  );
  for (const { name, severity, range } of found) console.error(`${severity}: ${name} ${range}`);
  console.log(`${shipped.size} packages are shipped, ${found.length} with weaknesses that are high or critical`);
  if (found.length > 0) {
    console.error("npm audit tells more; npm update NAME, or another version in package.json, mends it.");
    process.exitCode = 1;
  }
}
