import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/install.mjs";
import { run, runProgram } from "../support/processes.ts";
import { missingPython, python } from "../support/python.ts";

describe.skipIf(missingPython)("a release", () => {
  let folder: string;
  let packed: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "xpeft-release-"));
    packed = await run(["scripts/release.ts", "--draft", "--only", "python", "--out", relative(root, folder)]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("prints the hash of the wheel (test/clients/package.test.ts packs the npm package)", async () => {
    expect(packed).toMatchObject({ code: 0 });
    expect(packed.stdout).toMatch(/^[0-9a-f]{64} {2}\S+-py3-none-any\.whl\n$/);
  });

  it("has a wheel that works outside the project and contains its data files", async () => {
    const [wheel = ""] = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
    const target = join(folder, "installed");
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", target, join(folder, wheel)];
    expect(await runProgram(python, pip)).toMatchObject({ code: 0 });
    const elsewhere = { cwd: folder, env: { PYTHONPATH: target } };
    const found = await runProgram(python, ["-c", "import xpeft; print(xpeft.__file__)"], elsewhere);
    expect(found.stdout.trim()).toBe(join(target, "xpeft", "__init__.py"));
    expect(await readdir(join(target, "xpeft", "bundle"))).toContain("calibration.txt");
    const help = await runProgram(python, ["-m", "xpeft", "--help"], elsewhere);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining("train") });
  });
});
