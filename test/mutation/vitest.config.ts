import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Short files first: most mutants die by them, and the first failure ends a mutant's run. */
class ShortFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).reverse();
  }
}

const workerd = resolve(import.meta.dirname, "workerd.ts");

/** A file of WebAssembly as workerd imports it: compiled. */
const compiledWasm = {
  name: "compiled-wasm",
  enforce: "pre" as const,
  async load(id: string) {
    if (!id.endsWith(".wasm")) return;
    const bytes = (await readFile(id)).toString("base64");
    return `export default new WebAssembly.Module(Buffer.from("${bytes}", "base64"));`;
  },
};

// A mutant that waits for ever dies by this.
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

// What is run for every mutant: tests of src/ that run in Node, and for what reads and writes rows those that have a
// database, which take ten times as long. Those that need an isolate of their own are about the platform.
export default defineConfig({
  test: {
    sequence: { sequencer: ShortFirst },
    projects: process.env.XPEFT_MUTATION === "rows" ? [inNode, inWorkerd] : [inNode],
  },
});
