import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Short files first: they kill most mutants, and the first failure ends a mutant's run. */
class ShortFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).reverse();
  }
}

const workerd = resolve(import.meta.dirname, "workerd.ts");

/** Imports a WebAssembly file as a compiled module, like workerd. */
const compiledWasm = {
  name: "compiled-wasm",
  enforce: "pre" as const,
  async load(id: string) {
    if (!id.endsWith(".wasm")) return;
    const bytes = (await readFile(id)).toString("base64");
    return `export default new WebAssembly.Module(Buffer.from("${bytes}", "base64"));`;
  },
};

// The timeout kills a mutant that hangs.
const patience = { testTimeout: 60_000, hookTimeout: 60_000 };

const inNode = {
  test: {
    ...patience,
    name: "node",
    include: ["test/src/**/*.test.ts"],
    exclude: ["test/**/*.worker.test.ts", "test/**/*.isolate.test.ts"],
    setupFiles: ["test/support/properties.ts"],
  },
};

const inWorkerd = {
  plugins: [compiledWasm],
  resolve: { alias: { "cloudflare:workers": workerd, "cloudflare:test": workerd } },
  test: {
    ...patience,
    name: "workerd's, in node",
    include: ["test/src/**/*.worker.test.ts"],
    isolate: false,
    setupFiles: ["test/support/database.ts"],
    server: { deps: { inline: [/\.wasm$/] } },
  },
};

// Every mutant runs the Node tests of src/. Mutants of code that reads or writes rows also run the tests with a
// database, which take ten times as long. Tests in a separate isolate test the platform and are skipped.
export default defineConfig({
  test: {
    sequence: { sequencer: ShortFirst },
    projects: process.env.XPEFT_MUTATION === "rows" ? [inNode, inWorkerd] : [inNode],
  },
});
