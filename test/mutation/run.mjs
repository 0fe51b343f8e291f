// `npm run mutation`: does a test notice, whatever is changed in src/? What has not changed since the last run is not tried
// again (runs/mutation/incremental.json).
import { spawnSync } from "node:child_process";

// What reads and writes rows needs tests with a database, which take ten times as long as the others.
const rows = [
  "src/storage/**/*.ts",
  "src/sharding/**/*.ts",
  ...["auth/authenticator", "auth/key-store", "serving/learn-profile", "serving/predictor", "serving/row-cache"].map(
    (name) => `src/${name}.ts`,
  ),
];
const others = ["src/**/*.ts", ...rows.map((pattern) => `!${pattern}`)];

const stryker = "node_modules/@stryker-mutator/core/bin/stryker.js";

function run(tests, args) {
  const { status } = spawnSync(
    process.execPath,
    [stryker, "run", "test/mutation/stryker.config.json", "--incremental", ...args],
    {
      env: { ...process.env, XPEFT_MUTATION: tests },
      stdio: "inherit",
    },
  );
  return status === 0;
}

const own = process.argv.slice(2);
const runs = own.includes("--mutate")
  ? [["rows", own]]
  : [
      ["", [...own, "--mutate", others.join()]],
      ["rows", [...own, "--mutate", rows.join()]],
    ];
const passed = runs.map(([tests, args]) => run(tests, args));
if (passed.includes(false)) process.exitCode = 1;
