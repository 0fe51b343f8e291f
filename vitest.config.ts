import { readdir, readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { buildSite, copyBundle } from "./scripts/build-assets.mjs";
import { buildPages } from "./scripts/build-pages.mjs";

// Wrangler's own build command is not run for tests inside workerd. The site is built here because VitePress can build only
// one at a time, and several test files need it.
await Promise.all([buildPages(), copyBundle("bundles/minilm-l6-v2"), buildSite()]);

// The file's name selects the runtime. `*.worker.test.ts` runs inside workerd with the deploy's configuration.
// `*.isolate.test.ts` does too, in a separate isolate for each file. Every other `*.test.ts` runs in Node.
const workerTests = "test/**/*.worker.test.ts";
const isolateTests = "test/**/*.isolate.test.ts";
// Tests of the server start processes, so they are none.
const unitTests = ["test/src/**/*.test.ts", "test/node/*.test.ts"];

// Tests that run Python. `npm test` starts them once the training half is installed, and all others before.
const pythonTests = [
  "test/bench/{peers,quick}.test.ts",
  "test/cli/tables/python.test.ts",
  "test/clients/huggingface.test.ts",
  "test/fuzz/schemathesis.test.ts",
  "test/scripts/release.test.ts",
  "test/tokens/python.test.ts",
];

// Wrangler and the CLI start hundreds of times. The cache lets them compile only once.
const compiled = join(import.meta.dirname, "node_modules", ".cache", "compiled");

// Tests run real models, on a machine that may be busy. Slowness is not a failure.
const PATIENCE_MS = 600_000;
const patience = {
  testTimeout: PATIENCE_MS,
  hookTimeout: PATIENCE_MS,
  // A mutated project fails sooner (test/mutation/platforms.mjs).
  expect: { poll: { timeout: Number(process.env.XPEFT_POLL_MS ?? PATIENCE_MS / 2) } },
  env: { NODE_COMPILE_CACHE: compiled },
};

// Where no times are known yet, Vitest starts with the largest files. These take longest, so they must not be last.
const LONGEST = [
  "test/cli/deploy/deploy.test.ts",
  "test/faults/faults.test.ts",
  ...["workerd", "node", "deno", "bun"].map((runtime) => `test/conformance/${runtime}.test.ts`),
  "test/fuzz/schemathesis.test.ts",
  "test/app/overload.test.ts",
  "test/app/routes/learn.test.ts",
  "test/playground/playground.test.ts",
  "test/app/errors/codes.test.ts",
  "test/bench/quick.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.some((name) => moduleId.endsWith(name));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** Returns databases written by earlier versions, by their newest migration. */
async function goldenDatabases(): Promise<Record<string, string>> {
  const folder = "test/fixtures/databases";
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")])),
  );
}

const cloudflare = cloudflareTest(async () => ({
  main: "./test/support/no-worker.ts",
  wrangler: { configPath: "./wrangler.toml" },
  miniflare: {
    bindings: { MIGRATIONS: await readD1Migrations("schema/migrations"), GOLDEN: await goldenDatabases() },
    // A second database for tests of several. Under the name DB_1, all other tests would use it too.
    d1Databases: { OTHER_DB: "other" },
  },
}));

const setupFiles = ["test/support/database.ts"];

export default defineConfig({
  test: {
    // Tests wait for processes that they have started a third of the time.
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/prebuilt-setup.ts"],
    projects: [
      {
        test: {
          ...patience,
          name: "node",
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: [workerTests, isolateTests, ...pythonTests, ...unitTests],
          setupFiles: ["test/support/properties.ts"],
        },
      },
      // Units share one module graph a process: loading it again for each file takes longer than most of their tests.
      {
        test: {
          ...patience,
          name: "units",
          isolate: false,
          include: unitTests,
          exclude: [workerTests, isolateTests],
          setupFiles: ["test/support/properties.ts"],
        },
      },
      { test: { ...patience, name: "python", include: pythonTests, setupFiles: ["test/support/properties.ts"] } },
      {
        plugins: [cloudflare],
        // An isolate for each file would reload all modules, which takes longer than the tests.
        test: { ...patience, name: "workerd", isolate: false, include: [workerTests], setupFiles },
      },
      { plugins: [cloudflare], test: { ...patience, name: "isolates", include: [isolateTests], setupFiles } },
    ],
  },
});
