import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { root } from "./install.mjs";

/**
 * A Vitest reporter: writes what failed to the path XPEFT_FAILURES, as JSON. `files` are those that failed, `lines` has
 * a line for each error, and `strays` counts the errors that belong to no file.
 *
 * @implements {import("vitest/node").Reporter}
 */
export default class FailuresReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly import("vitest").SerializedError[]} uncaught errors outside of all tests
   */
  onTestRunEnd(modules, uncaught) {
    const failed = modules.filter((module) => !module.ok());
    const ofModules = failed.flatMap((module) => [
      ...toLines(module.relativeModuleId, module.errors()),
      ...[...module.children.allSuites()].flatMap((suite) => toLines(nameOf(suite), suite.errors())),
      ...[...module.children.allTests("failed")].flatMap((test) => toLines(nameOf(test), test.result().errors)),
    ]);
    const outside = uncaught.map((error) => ({
      error,
      file: error.VITEST_TEST_PATH && relative(root, error.VITEST_TEST_PATH),
    }));
    const ofNoTest = outside.flatMap(({ error, file = "no file" }) => toLines(`${file}, outside its tests`, [error]));
    const files = [
      ...failed.map(({ relativeModuleId }) => relativeModuleId),
      ...outside.flatMap(({ file = [] }) => file),
    ];
    const strays = outside.filter(({ file }) => file === undefined).length;
    writeFileSync(
      process.env.XPEFT_FAILURES,
      JSON.stringify({ files: [...new Set(files)], lines: [...ofModules, ...ofNoTest], strays }),
    );
  }
}

const nameOf = ({ module, fullName }) => `${module.relativeModuleId} > ${fullName}`;

const toLines = (where, errors) => errors.map(({ message }) => `${where}: ${String(message).split("\n")[0]}`);
