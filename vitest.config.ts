import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

// Two runtimes, told apart by the file's name: `*.worker.test.ts` runs inside workerd with the deploy's own
// configuration, every other `*.test.ts` in Node.
const workerTests = "test/**/*.worker.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: [workerTests],
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: {
          name: "workerd",
          include: [workerTests],
        },
      },
    ],
  },
});
