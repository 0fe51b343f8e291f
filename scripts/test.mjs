// `npm test`: installs both halves, then checks and tests both. `--only=ts` or `--only=py` takes one half.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { pythonChecks, typescriptChecks } from "./checks.mjs";
import { fail, installDependencies, installTraining, node, python, root, training } from "./install.mjs";
import { runInTurn, summarise } from "./parts.mjs";

const start = Date.now();

const [only] = process.argv
  .slice(2)
  .map(
    (argument) =>
      argument.match(/^--only=(ts|py)$/)?.[1] ?? fail(`Unknown option ${argument}. Use --only=ts or --only=py.`),
  );

const script = (name) => join(root, "scripts", name);
const bin = (name) => join(root, "node_modules", name);

const vitest = (name, projects, ...options) => ({
  name,
  command: node,
  args: [bin("vitest/vitest.mjs"), "run", ...projects.flatMap((project) => ["--project", project]), ...options],
  live: true,
});

const typescriptRest = [
  { name: "deploy:check", command: node, args: [script("check-deploy.mjs")] },
  { name: "audit", command: node, args: [script("audit.mjs")] },
];

const pytest = {
  name: "pytest",
  command: python,
  args: ["-m", "pytest", "-n", String(availableParallelism()), "--dist", "loadfile"],
  cwd: training,
  // Each process uses one core. With more threads than cores, the threads wait for one another.
  env: { OMP_NUM_THREADS: "1" },
};
const pipAudit = { name: "pip-audit", command: process.execPath, args: [script("audit-python.mjs")] };

// These parts run at a low priority, while Vitest's tests wait for the processes that they have started.
const background = (parts) => parts.map((part) => ({ ...part, background: true }));

// Some tests of the training half run the TypeScript half, so its dependencies are always installed.
const dependencies = installDependencies();
const environment = only === "ts" ? Promise.resolve() : installTraining();

/** Checks and tests the TypeScript half. Only its tests that run Python wait for the training half. */
async function testTypescript() {
  await dependencies;
  const checked = await runInTurn(typescriptChecks);
  const tested = runInTurn([vitest("vitest", ["node", "units", "workerd", "isolates"])]);
  const rest = runInTurn(background(typescriptRest));
  await environment;
  const withPython = runInTurn([vitest("vitest with Python", ["python"], "--maxWorkers=1")]);
  return [checked, await tested, await withPython, await rest].flat();
}

async function testTraining() {
  await Promise.all([dependencies, environment]);
  return [await runInTurn(pythonChecks), await runInTurn(background([pytest, pipAudit]))].flat();
}

const results = await Promise.all([only === "py" ? [] : testTypescript(), only === "ts" ? [] : testTraining()]);
summarise("npm test", results.flat(), start);
