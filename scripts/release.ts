// `npm run release`: checks that a release can be made of what is here, and packs both packages.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fail, root } from "./install.mjs";

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "dist/release" },
    only: { type: "string" },
    draft: { type: "boolean", default: false },
  },
});
const { out, only, draft } = values;
if (only !== undefined && only !== "npm" && only !== "python")
  fail(`What is ${only}? Say --only npm or --only python.`);
const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: root, encoding: "utf8" });
const read = (path: string) => readFileSync(join(root, path), "utf8");

const { version }: { version: string } = JSON.parse(read("package.json"));
const python = /^version = "(.+)"$/m.exec(read("training/pyproject.toml"))?.[1];
if (python !== version)
  fail(`package.json has version ${version}, training/pyproject.toml ${python}: make them the same.`);
const heading = read("CHANGELOG.md")
  .split("\n")
  .find((line) => line.startsWith(`## ${version} `));
if (!heading) fail(`CHANGELOG.md has no section "## ${version} (date)".`);
if (!draft && !/\(\d{4}-\d\d-\d\d\)$/.test(heading ?? ""))
  fail(`CHANGELOG.md does not date ${version}: "## ${version} (2026-01-31)".`);
if (!draft && run("git", "status", "--porcelain") !== "") fail("There are changes that are in no commit.");

const folder = resolve(root, out);
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (/\.(tgz|whl)$/.test(name)) rmSync(join(folder, name));
if (only !== "python") run("npm", "pack", "--silent", "--pack-destination", folder);
if (only !== "npm")
  run(
    join("training", ".venv", "bin", "python"),
    "-m",
    "pip",
    "wheel",
    "--quiet",
    "--no-deps",
    "--wheel-dir",
    folder,
    "./training",
  );
for (const name of readdirSync(folder).filter((name) => /\.(tgz|whl)$/.test(name))) {
  const hash = createHash("sha256")
    .update(readFileSync(join(folder, name)))
    .digest("hex");
  console.log(`${hash}  ${join(out, name)}`);
}
if (!draft)
  console.log(
    `\nThen: git tag v${version}; upload both to where they are installed from (package.json is private: nothing is published by mistake).`,
  );
