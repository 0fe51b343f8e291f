import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { inNode, inWorkerd } from "../../vitest.config.ts";

/** Short files first: most mutants die by them, and the first failure ends a mutant's run. */
class ShortFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).reverse();
  }
}

// What is run for every mutant: the tests of src/ in Node and in workerd, but for those that need an isolate of their own,
// which load whole models again and again, and are about the platform.
export default defineConfig({
  test: {
    sequence: { sequencer: ShortFirst },
    projects: [
      { ...inNode, test: { ...inNode.test, include: ["test/src/**/*.test.ts"] } },
      { ...inWorkerd, test: { ...inWorkerd.test, include: ["test/src/**/*.worker.test.ts"] } },
    ],
  },
});
