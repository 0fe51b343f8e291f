// `npm run test:long`: a second public encoder, a short mutation test, the Worker on its other engine, the Dockerfile's
// steps, and the long forms of kernels, benches, faults, floods, races, platforms, fuzzing and ugly tables. It skips parts that passed on the same sources.
// `--only=faults,codecs` runs these parts. `--again` runs all parts.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, installDependencies, installTraining, node, python, root, training } from "./install.mjs";
import { runPart, summarise } from "./parts.mjs";

const start = Date.now();
const bin = (name) => join(root, "node_modules", name);

const vitest = (name, ...files) => ({
  name,
  command: node,
  args: [bin("vitest/vitest.mjs"), "run", ...files],
  env: { XPEFT_LONG: "1" },
  live: true,
});

// These files are mutated, and these tests must notice. All of src/ takes hours: npm run mutation.
const mutated = [
  "--mutate",
  "src/profiles/masks.ts,src/model/merge.ts",
  "--testFiles",
  "test/src/profiles/masks.test.ts,test/src/model/merge.test.ts",
  "--reporters",
  "clear-text",
];

// 5,000 tables of users, each from the file to answers of a Worker.
const tables = {
  name: "tables",
  command: python,
  args: ["-m", "pytest", "tests/test_ugly_tables.py"],
  cwd: training,
  env: { XPEFT_LONG: "1", OMP_NUM_THREADS: "1" },
  live: true,
};

// A second public encoder is built, trained and served.
const encoder = {
  name: "encoder",
  command: python,
  args: ["-m", "pytest", "tests/test_second_encoder.py"],
  cwd: training,
  env: { XPEFT_LONG: "1", OMP_NUM_THREADS: "1" },
  live: true,
};

/** The shortest first. */
const parts = [
  encoder,
  {
    name: "mutation",
    command: node,
    args: [bin("@stryker-mutator/core/bin/stryker.js"), "run", "test/mutation/stryker.config.json", ...mutated],
    live: true,
  },
  { ...vitest("onnxruntime", "test/app"), env: { XPEFT_ENGINE: "onnxruntime" } },
  vitest("kernels", "test/src/model/kernels"),
  vitest("bench", "test/bench/quick.test.ts", "test/bench/peers.test.ts"),
  vitest("faults", "test/faults"),
  vitest("overload", "test/app/overload.test.ts"),
  vitest("server", "test/node/server"),
  vitest("platforms", "test/conformance"),
  { name: "platforms mutated", command: node, args: [join(root, "test", "mutation", "platforms.mjs")], live: true },
  vitest("races", "test/app/routes/registry/import-export.test.ts"),
  vitest("readers", "test/cli/tables/python.test.ts"),
  vitest("container", "test/container"),
  vitest("codecs", "test/fuzz/codecs.test.ts"),
  vitest("requests", "test/fuzz/requests.test.ts"),
  vitest("schemathesis", "test/fuzz/schemathesis.test.ts"),
  tables,
];

const names = parts.map(({ name }) => name);
const options = process.argv.slice(2);
const again = options.includes("--again");
const only = options
  .filter((option) => option !== "--again")
  .flatMap((option) => {
    const chosen = option.match(/^--only=(.+)$/)?.[1]?.split(",") ?? [];
    const known = chosen.length > 0 && chosen.every((name) => names.includes(name));
    return known
      ? chosen
      : fail(`Unknown option ${option}. Use --again, or --only=NAME,… with names of: ${names.join(", ")}.`);
  });

/** A hash over the project's files, those that are new included. */
function hashOfSources() {
  const git = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const { status, stdout } = spawnSync("git", git, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (status !== 0) return null;
  const hash = createHash("sha256");
  for (const path of stdout.split("\0").filter((one) => one !== "" && existsSync(join(root, one)))) {
    hash
      .update(path)
      .update("\0")
      .update(readFileSync(join(root, path)));
  }
  return hash.digest("hex");
}

/** The parts that have passed, with their seconds, for one state of the sources. */
const PASSED = join(root, "runs", "test-long.json");
const sources = hashOfSources();

function readPassed() {
  if (again || sources === null || !existsSync(PASSED)) return {};
  const saved = JSON.parse(readFileSync(PASSED, "utf8"));
  return saved.sources === sources ? saved.passed : {};
}

await Promise.all([installDependencies(), installTraining()]);
const passed = readPassed();
const results = [];
for (const part of parts.filter(({ name }) => only.length === 0 || only.includes(name))) {
  if (passed[part.name] !== undefined) {
    console.log(`\n— ${part.name} —\nSkipped: it has passed on these sources. To run it anew: --again`);
    results.push({ name: `${part.name}, earlier`, passed: true, seconds: passed[part.name] });
    continue;
  }
  const result = await runPart(part);
  results.push(result);
  console.log(`${part.name} ${result.passed ? "passed" : "FAILED"} in ${result.seconds} s`);
  if (!result.passed) continue;
  passed[part.name] = result.seconds;
  mkdirSync(dirname(PASSED), { recursive: true });
  writeFileSync(PASSED, JSON.stringify({ sources, passed }));
}
summarise("npm run test:long", results, start);
