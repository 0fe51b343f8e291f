import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tokens } from "marked";
import { expect, it } from "vitest";
import { tokensOf } from "../support/documents.ts";
import { runProgram } from "../support/processes.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";

/** How exposed a service may be, of 100: what systemd itself calls "OK" ends at 50. */
const MOST_EXPOSED = "25";

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

it.skipIf(!hasSystemd)("docs/self-hosting.md has a unit that systemd accepts, and that is little exposed", async () => {
  const blocks = (await tokensOf("docs/self-hosting.md")).filter(({ type }) => type === "code") as Tokens.Code[];
  const [unit, ...others] = blocks.filter(({ lang }) => lang === "ini").map(({ text }) => text);
  expect(others).toEqual([]);
  const folder = await makeTempFolder("xpeft-unit-");
  const path = join(folder, "xpeft.service");
  // It checks that the program exists. Node may be elsewhere on this machine.
  await writeFile(path, (unit ?? "").replace("ExecStart=/usr/bin/node", `ExecStart=${process.execPath}`));
  expect(await runProgram("systemd-analyze", ["verify", "--man=no", path])).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
  const security = ["security", "--offline=yes", `--threshold=${MOST_EXPOSED}`, "--no-pager", path];
  const { code, stdout } = await runProgram("systemd-analyze", security);
  expect(code, stdout).toBe(0);
  await removeTempFolder(folder);
});
