// Are there known weaknesses in what the training half installs? Part of npm test.
import { spawnSync } from "node:child_process";
import { fail, python, quietEnv, training } from "./install.mjs";

const args = [
  "-m",
  "pip_audit",
  "-r",
  "requirements.lock",
  "--no-deps",
  "--disable-pip",
  "--format",
  "json",
  "--desc",
  "off",
];

/** What is said where the index is away. */
const AWAY = /connect|resolve|timed out|retries|proxy|certificate/i;

/** What pip-audit says of each locked package; or why it says nothing. */
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
    return AWAY.test(stderr) ? { message } : fail(`pip-audit failed: ${message}`);
  }
}

const { dependencies = [], message = "the index knows none of the packages" } = report();
const audited = dependencies.filter(({ skip_reason }) => skip_reason === undefined);
if (audited.length === 0) {
  console.log(`NOT AUDITED: ${message}. Run npm test -- --only=py where the index answers.`);
} else {
  const weak = audited.filter(({ vulns }) => vulns.length > 0);
  for (const { name, version, vulns } of weak) {
    const known = vulns.map(
      ({ id, fix_versions }) => `${id}, mended in ${fix_versions.join(" or ") || "no version yet"}`,
    );
    console.error(`${name} ${version}: ${known.join("; ")}`);
  }
  console.log(
    `${audited.length} of ${dependencies.length} locked packages are known to the index, ${weak.length} with weaknesses`,
  );
  if (weak.length > 0) process.exitCode = 1;
}
