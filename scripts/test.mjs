// `npm test`: sets both halves up, then runs every check of both. `--only=ts` or `--only=py` runs one half.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fail, installDependencies, node, python, quietEnv, root, training, venv } from "./install.mjs";

const OLDEST_PYTHON = [3, 11];
const windows = process.platform === "win32";

const only = process.argv
  .slice(2)
  .map(
    (argument) => argument.match(/^--only=(ts|py)$/)?.[1] ?? fail(`What is ${argument}? Say --only=ts or --only=py.`),
  )[0];

function run(command, args, cwd = root, env = {}) {
  const start = Date.now();
  const { status, error } = spawnSync(command, args, { cwd, env: { ...quietEnv, ...env }, stdio: "inherit" });
  if (error) console.error(error.message);
  return { passed: status === 0, seconds: Math.round((Date.now() - start) / 1000) };
}

/** The first Python on the path that is new enough. */
function findPython() {
  const program = "import sys; print(*sys.version_info[:2])";
  for (const name of ["python3", "python3.13", "python3.12", "python3.11", "python"]) {
    const { status, stdout } = spawnSync(name, ["-c", program], { encoding: "utf8" });
    const [major, minor] = status === 0 ? stdout.trim().split(" ").map(Number) : [0, 0];
    if (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]) return name;
  }
  return fail(
    "Python 3.11 or newer is needed for the training half (python3 on the path, with its venv module). Without it: npm test -- --only=ts",
  );
}

/** Makes the virtual environment anew whenever what is to be in it has changed. */
function installTraining() {
  const hash = createHash("sha256");
  for (const file of ["requirements.lock", "pyproject.toml"]) hash.update(readFileSync(join(training, file)));
  const wanted = hash.digest("hex");
  const mark = join(venv, ".installed");
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;

  console.log("Installing the training half…");
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(venv, { recursive: true });
  const steps = [
    [findPython(), ["-m", "venv", venv]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.lock"]],
    [python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-e", "."]],
  ];
  for (const [command, args] of steps) {
    if (!run(command, args, training).passed) fail(`${command} ${args.join(" ")} failed; its own message is above.`);
  }
  writeFileSync(mark, wanted);
}

const bin = (name) => join(root, "node_modules", name);
const astGrep = bin(`@ast-grep/cli/ast-grep${windows ? ".exe" : ""}`);
// In short: what is mutated here, and the tests that are to notice. All of src/ takes hours: npm run mutation.
const mutated = [
  "--mutate",
  "src/profiles/masks.ts,src/model/merge.ts",
  "--testFiles",
  "test/src/profiles/masks.test.ts,test/src/model/merge.test.ts",
  "--reporters",
  "clear-text",
];

const typescriptChecks = [
  ["biome", node, [bin("@biomejs/biome/bin/biome"), "ci", "."]],
  // Samples that each rule must find and leave alone, then the code itself.
  ["ast-grep test", astGrep, ["test", "--skip-snapshot-tests"]],
  ["ast-grep scan", astGrep, ["scan", "--error"]],
  ["audit", node, [join(root, "scripts", "audit.mjs")]],
  ["tsc", node, [bin("typescript/bin/tsc"), "--noEmit"]],
  ["tsc pages", node, [bin("typescript/bin/tsc"), "--noEmit", "-p", "playground"]],
  ["vitest", node, [bin("vitest/vitest.mjs"), "run"]],
  [
    "stryker",
    node,
    [bin("@stryker-mutator/core/bin/stryker.js"), "run", "test/mutation/stryker.config.json", ...mutated],
  ],
  ["deploy:check", node, [join(root, "scripts", "check-deploy.mjs")]],
];
const pythonChecks = [
  ["ruff format", python, ["-m", "ruff", "format", "--check"], training],
  ["ruff check", python, ["-m", "ruff", "check"], training],
  ["mypy", python, ["-m", "mypy"], training],
  ["pip-audit", process.execPath, [join(root, "scripts", "audit-python.mjs")]],
  // One core for each process, or their threads wait for one another.
  [
    "pytest",
    python,
    ["-m", "pytest", "-n", String(availableParallelism()), "--dist", "loadfile"],
    training,
    { OMP_NUM_THREADS: "1" },
  ],
];

// Both halves are set up before any check: each has tests that hold it against the other.
if (only !== "py") installDependencies();
if (only !== "ts") installTraining();
const checks = [...(only === "py" ? [] : typescriptChecks), ...(only === "ts" ? [] : pythonChecks)];

const results = checks.map(([name, ...how]) => {
  console.log(`\n— ${name} —`);
  return { name, ...run(...how) };
});

const failed = results.filter(({ passed }) => !passed).length;
console.log("\nSummary");
for (const { name, passed, seconds } of results)
  console.log(`  ${passed ? "ok    " : "FAILED"}  ${name} (${seconds} s)`);
console.log(`${results.length - failed} checks passed, ${failed} failed`);
if (failed > 0) process.exit(1);
