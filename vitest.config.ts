import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// Two runtimes, told apart by the file's name: `*.worker.test.ts` runs inside workerd with the deploy's own
// configuration, every other `*.test.ts` in Node.
const workerTests = "test/**/*.worker.test.ts";

// Real models on a machine that may train another one meanwhile: slowness is no failure.
const patience = { testTimeout: 60_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...patience,
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: [workerTests],
        },
      },
      {
        plugins: [
          cloudflareTest(async () => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: { MIGRATIONS: await readD1Migrations("schema/migrations") },
              // A second one, for tests of several; as DB_1 it would be one of the deploy's in all other tests.
              d1Databases: { OTHER_DB: "other" },
            },
          })),
        ],
        test: {
          ...patience,
          name: "workerd",
          include: [workerTests],
          setupFiles: ["test/support/database.ts"],
        },
      },
    ],
  },
});
