import { appendFile, cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sourceFolders } from "../../scripts/checks.mjs";
import { run } from "../support/processes.ts";
import { copyProject, projectFiles } from "../support/project.ts";

const COPIED = [...sourceFolders, "scripts", "dist/pages"];

let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), "xpeft-check-"));
  // wrangler's files come and go while other tests run an example.
  const filter = (path: string) => basename(path) !== ".wrangler";
  for (const folder of COPIED) await cp(folder, join(copy, folder), { recursive: true, filter });
  const settings = await projectFiles("*.json", ".dependency-cruiser.mjs");
  await copyProject(
    copy,
    settings.filter((path) => dirname(path) === "."),
  );
});
afterEach(() => rm(copy, { recursive: true, force: true }));

const checkImports = () => run([join(copy, "scripts", "check.mjs"), "--only=imports"]);

describe("npm run check -- --only=imports", () => {
  it("passes, without the warning about TypeScript", async () => {
    const { code, stdout, stderr } = await checkImports();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("no dependency violations found");
    expect(stdout).not.toContain("transpiler");
    expect(stdout).toMatch(/\nnpm run check took 0 min \d+ s\n$/);
  });

  it("fails with a circle, and names it", async () => {
    await writeFile(
      join(copy, "src/lib/one.ts"),
      'import { two } from "./two.ts";\nexport const one = (): number => two();\n',
    );
    await writeFile(
      join(copy, "src/lib/two.ts"),
      'import { one } from "./one.ts";\nexport const two = (): number => one();\n',
    );
    const { code, stdout } = await checkImports();
    expect(code).toBe(1);
    expect(stdout).toMatch(/error no-circle: src\/lib\/(one|two)\.ts/);
  });

  it.each([
    [
      "src/text/tokenizer.ts",
      'import type { Engine } from "../serving/engine.ts";\nexport type Up = Engine;\n',
      "src/text",
    ],
    ["src/errors.ts", 'import { createApp } from "../app/app.ts";\nexport const up = createApp;\n', "src"],
    [
      "examples/feed/index.ts",
      'import type { NewTask } from "../../src/profiles/task.ts";\nexport type Up = NewTask;\n',
      "examples import the client alone",
    ],
    [
      "examples/inbox/index.ts",
      'import { lines } from "../../client/lines.ts";\nexport const up = lines;\n',
      "examples import the client alone",
    ],
  ])("fails with a wrong import in %s, a type's too", async (file, lines, rule) => {
    await appendFile(join(copy, file), lines);
    const { code, stdout } = await checkImports();
    expect(code).toBe(1);
    expect(stdout).toContain(`error ${rule}: ${file} → `);
  });
});

it("lists the checks if asked for an unknown one", async () => {
  const { code, stderr } = await run(["scripts/check.mjs", "--only=speed"]);
  expect(code).toBe(1);
  expect(stderr).toContain("ts, py or one of: biome, tsc");
});
