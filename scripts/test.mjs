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
    (argument) => argument.match(/^--only=(ts|py)$/)?.[1] ?? fail(`What is ${argument}? Say --only=ts or --only=py.`),
  );

const script = (name) => join(root, "scripts", name);
const bin = (name) => join(root, "node_modules", name);

// In short: these files are mutated, and these tests must notice. All of src/ takes hours: npm run mutation.
const mutated = [
  "--mutate",
  "src/profiles/masks.ts,src/model/merge.ts",
  "--testFiles",
  "test/src/profiles/masks.test.ts,test/src/model/merge.test.ts",
  "--reporters",
  "clear-text",
];

const vitest = { name: "vitest", command: node, args: [bin("vitest/vitest.mjs"), "run"], live: true };

const typescriptRest = [
  {
    name: "stryker",
    command: node,
    args: [bin("@stryker-mutator/core/bin/stryker.js"), "run", "test/mutation/stryker.config.json", ...mutated],
  },
  { name: "deploy:check", command: node, args: [script("check-deploy.mjs")] },
  { name: "audit", command: node, args: [script("audit.mjs")] },
];

const pytest = {
  name: "pytest",
  command: python,
  args: ["-m", "pytest", "-n", String(availableParallelism()), "--dist", "loadfile"],
  cwd: training,
  // One core for each process, or their threads wait for one another.
  env: { OMP_NUM_THREADS: "1" },
};
const pipAudit = { name: "pip-audit", command: process.execPath, args: [script("audit-python.mjs")] };

// The parts beside Vitest take the time in which its tests wait.
const background = (parts) => parts.map((part) => ({ ...part, background: true }));

// Each half has tests that compare it with the other, so both are installed whatever is tested.
const dependencies = installDependencies();
const environment = only === "ts" ? Promise.resolve() : installTraining();

const checked = [
  only === "py" ? [] : dependencies.then(() => runInTurn(typescriptChecks)),
  only === "ts" ? [] : environment.then(() => runInTurn(pythonChecks)),
];
await Promise.all([dependencies, environment]);
const [ofTypescript, ofTraining] = await Promise.all(checked);
const tested = await Promise.all([
  only === "py" ? [] : runInTurn([vitest]),
  runInTurn(background([...(only === "ts" ? [] : [pytest, pipAudit]), ...(only === "py" ? [] : typescriptRest)])),
]);
summarise("npm test", [...ofTypescript, ...ofTraining, ...tested.flat()], start);
