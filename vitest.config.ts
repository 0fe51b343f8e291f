import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// Two runtimes, told apart by the file's name: `*.worker.test.ts` runs inside workerd with the deploy's own
// configuration, every other `*.test.ts` in Node.
const workerTests = "test/**/*.worker.test.ts";

// Real models on a machine that may train another one meanwhile: slowness is no failure.
const patience = { testTimeout: 60_000, hookTimeout: 60_000 };

/** Databases as earlier versions left them, by their newest migration. */
async function goldenDatabases(): Promise<Record<string, string>> {
  const folder = "test/fixtures/databases";
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")])),
  );
}

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
              bindings: { MIGRATIONS: await readD1Migrations("schema/migrations"), GOLDEN: await goldenDatabases() },
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
