// `npm run mutation` checks that tests notice changes of src/. Code unchanged since the last run is skipped
// (runs/mutation/incremental.json).
import { spawnSync } from "node:child_process";

// Code that reads or writes rows needs tests with a database, which take ten times as long as the others.
const rows = [
  "src/storage/**/*.ts",
  "src/sharding/**/*.ts",
  ...["auth/authenticator", "auth/key-store", "serving/learn-profile", "serving/predictor", "serving/row-cache"].map(
    (name) => `src/${name}.ts`,
  ),
];
const others = ["src/**/*.ts", ...rows.map((pattern) => `!${pattern}`)];

const stryker = "node_modules/@stryker-mutator/core/bin/stryker.js";

function run(tests, options) {
  const { status } = spawnSync(
    process.execPath,
    [stryker, "run", "test/mutation/stryker.config.json", "--incremental", ...options],
    {
      env: { ...process.env, XPEFT_MUTATION: tests },
      stdio: "inherit",
    },
  );
  return status === 0;
}

const args = process.argv.slice(2);
const runs = args.includes("--mutate")
  ? [["rows", args]]
  : [
      ["", [...args, "--mutate", others.join()]],
      ["rows", [...args, "--mutate", rows.join()]],
    ];
const passed = runs.map(([tests, options]) => run(tests, options));
if (passed.includes(false)) process.exitCode = 1;
