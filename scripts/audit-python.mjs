// Checks the locked packages of the training half for known vulnerabilities. Part of npm test.
import { spawnSync } from "node:child_process";
import { fail, python, quietEnv, training } from "./install.mjs";

const options = ["--no-deps", "--disable-pip", "--format", "json", "--desc", "off"];
const args = ["-m", "pip_audit", "-r", "requirements.lock", ...options];

/** What pip-audit prints when it cannot reach the index. */
const UNREACHABLE = /connect|resolve|timed out|retries|proxy|certificate/i;

/** Returns pip-audit's report on each locked package, or a message if the index cannot be reached. */
function report() {
  const { stdout, stderr, error } = spawnSync(python, args, {
    cwd: training,
    env: quietEnv,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  if (error) fail(`pip-audit cannot be run: ${error.message}`);
  try {
    return JSON.parse(stdout);
  } catch {
    const message = stderr.trim().split("\n").at(-1);
    return UNREACHABLE.test(stderr) ? { message } : fail(`pip-audit failed: ${message}`);
  }
}

const { dependencies = [], message = "the index has none of the packages" } = report();
const audited = dependencies.filter(({ skip_reason }) => skip_reason === undefined);
if (audited.length === 0) {
  console.log(`NOT AUDITED: ${message}. Run npm test -- --only=py where the index can be reached.`);
} else {
  const vulnerable = audited.filter(({ vulns }) => vulns.length > 0);
  for (const { name, version, vulns } of vulnerable) {
    const fixes = vulns.map(
      ({ id, fix_versions }) => `${id}, fixed in ${fix_versions.join(" or ") || "no version yet"}`,
    );
    console.error(`${name} ${version}: ${fixes.join("; ")}`);
  }
  console.log(`Audited ${audited.length} of ${dependencies.length} locked packages: ${vulnerable.length} vulnerable.`);
  if (vulnerable.length > 0) process.exitCode = 1;
}
