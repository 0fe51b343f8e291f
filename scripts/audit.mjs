// `npm run audit`: are there known weaknesses in what the Worker and the package carry? Part of npm test.
import { spawnSync } from "node:child_process";
import { quietEnv, root } from "./install.mjs";

const FAILING = ["high", "critical"];

const windows = process.platform === "win32";
const { stdout } = spawnSync(windows ? "npm.cmd" : "npm", ["audit", "--omit=dev", "--json"], {
  cwd: root,
  env: quietEnv,
  encoding: "utf8",
  // A script of Windows cannot be started by itself.
  ...(windows && { shell: true }),
});

function report() {
  try {
    return JSON.parse(stdout);
  } catch {
    return { message: "npm audit said nothing that can be read" };
  }
}

const { metadata, vulnerabilities, message, error } = report();
if (metadata === undefined) {
  console.log(
    `NOT AUDITED: ${message ?? error?.summary ?? "the registry has no answer"}. Run npm run audit where the registry answers.`,
  );
} else {
  const found = Object.values(vulnerabilities).filter(({ severity }) => FAILING.includes(severity));
  for (const { name, severity, range } of found) console.error(`${severity}: ${name} ${range}`);
  console.log(`${metadata.dependencies.prod} packages, ${found.length} with weaknesses that are high or critical`);
  if (found.length > 0) {
    console.error("npm audit tells more; npm update NAME, or another version in package.json, mends it.");
    process.exitCode = 1;
  }
}
