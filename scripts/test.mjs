// `npm test`: installs both halves, then checks and tests both. `--only=ts` or `--only=py` takes one half.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { pythonChecks, typescriptChecks } from "./checks.mjs";
import { fail, installDependencies, installTraining, node, python, root, training } from "./install.mjs";
import { runInTurn, runPart, summarise } from "./parts.mjs";

const start = Date.now();

const [only] = process.argv
  .slice(2)
  .map(
    (argument) =>
      argument.match(/^--only=(ts|py)$/)?.[1] ?? fail(`Unknown option ${argument}. Use --only=ts or --only=py.`),
  );

const script = (name) => join(root, "scripts", name);
const bin = (name) => join(root, "node_modules", name);

// More tests than these do not fail by chance.
const MOST_AGAIN = 3;

/**
 * Runs tests, and once more, one after another, the few that failed. A test that passes then depends on what runs
 * beside it: the summary names it.
 *
 * @param {(again?: string[]) => import("./parts.mjs").Part} partOf the tests, or those to run again
 * @param {string} written path of what the tests write about those that failed
 * @param {(written: object) => { again: string[], lines: string[] }} failuresOf what to run again, and what to say
 */
async function test(partOf, written, failuresOf) {
  rmSync(written, { force: true });
  const first = await runPart(partOf());
  if (first.passed) return [first];
  const { again, lines } = failuresOf(existsSync(written) ? JSON.parse(readFileSync(written, "utf8")) : {});
  const failed = { ...first, remarks: lines };
  if (again.length === 0 || again.length > MOST_AGAIN) return [failed];
  const second = await runPart(partOf(again));
  if (!second.passed) return [failed, second];
  return [{ ...first, passed: true, remarks: lines.map((line) => `passed only at the second try: ${line}`) }, second];
}

function vitest(name, projects, ...options) {
  const written = join(root, "node_modules", ".cache", "failures", `${name.replaceAll(" ", "-")}.json`);
  mkdirSync(dirname(written), { recursive: true });
  const partOf = (again) => ({
    name: again ? `${name}, again` : name,
    command: node,
    args: [
      bin("vitest/vitest.mjs"),
      "run",
      ...projects.flatMap((project) => ["--project", project]),
      ...["--reporter=default", `--reporter=${script("failures-reporter.mjs")}`],
      ...(again ? [...again, "--maxWorkers=1"] : options),
    ],
    env: { XPEFT_FAILURES: written },
    live: true,
  });
  return test(partOf, written, ({ files = [], lines = [], strays = 0 }) => ({ again: strays > 0 ? [] : files, lines }));
}

function pytest() {
  const partOf = (again) => ({
    name: again ? "pytest, again" : "pytest",
    command: python,
    args: ["-m", "pytest", ...(again ?? ["-n", String(availableParallelism()), "--dist", "loadfile"])],
    cwd: training,
    // Each process uses one core. With more threads than cores, the threads wait for one another.
    env: { OMP_NUM_THREADS: "1" },
    background: true,
  });
  const written = join(training, ".pytest_cache", "v", "cache", "lastfailed");
  return test(partOf, written, (failed) => ({ again: Object.keys(failed), lines: Object.keys(failed) }));
}

// These run at a low priority, and pytest too, while Vitest's tests wait for the processes that they have started.
const typescriptRest = [
  { name: "deploy:check", command: node, args: [script("check-deploy.mjs")], background: true },
  { name: "audit", command: node, args: [script("audit.mjs")], background: true },
];

const pipAudit = { name: "pip-audit", command: process.execPath, args: [script("audit-python.mjs")], background: true };

// Some tests of the training half run the TypeScript half, so its dependencies are always installed.
const dependencies = installDependencies();
const environment = only === "ts" ? Promise.resolve() : installTraining();

/** Checks and tests the TypeScript half. Only its tests that run Python wait for the training half. */
async function testTypescript() {
  await dependencies;
  const checked = await runInTurn(typescriptChecks);
  const tested = vitest("vitest", ["node", "units", "workerd", "isolates"]);
  const rest = runInTurn(typescriptRest);
  await environment;
  const withPython = vitest("vitest with Python", ["python"], "--maxWorkers=1");
  return [checked, await tested, await withPython, await rest].flat();
}

async function testTraining() {
  await Promise.all([dependencies, environment]);
  return [await runInTurn(pythonChecks), await pytest(), await runPart(pipAudit)].flat();
}

const results = await Promise.all([only === "py" ? [] : testTypescript(), only === "ts" ? [] : testTraining()]);
summarise("npm test", results.flat(), start);
