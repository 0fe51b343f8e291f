// `npm run release`: checks the version, the changelog and the commit, then packs both packages.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fail, python, root } from "./install.mjs";

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "dist/release" },
    only: { type: "string" },
    draft: { type: "boolean", default: false },
  },
});
const { out, only, draft } = values;
if (only !== undefined && only !== "npm" && only !== "python")
  fail(`--only is "${only}". Use --only npm or --only python.`);
const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: root, encoding: "utf8" });
const read = (path: string) => readFileSync(join(root, path), "utf8");

const { version }: { version: string } = JSON.parse(read("package.json"));
const pythonVersion = /^version = "(.+)"$/m.exec(read("training/pyproject.toml"))?.[1];
if (pythonVersion !== version)
  fail(
    `package.json has version ${version}, training/pyproject.toml has ${pythonVersion}. Set both to the same version.`,
  );
const heading = read("CHANGELOG.md")
  .split("\n")
  .find((line) => line.startsWith(`## ${version} `));
if (!heading) fail(`CHANGELOG.md has no section for ${version}. Add "## ${version} (date)".`);
if (!draft && !/\(\d{4}-\d\d-\d\d\)$/.test(heading ?? ""))
  fail(`CHANGELOG.md has no date for ${version}. Write a heading such as "## ${version} (2026-01-31)".`);
if (!draft && run("git", "status", "--porcelain") !== "")
  fail("The working tree has uncommitted changes. Commit them first.");

const folder = resolve(root, out);
mkdirSync(folder, { recursive: true });
const packages = () => readdirSync(folder).filter((name) => /\.(tgz|whl)$/.test(name));
for (const name of packages()) rmSync(join(folder, name));
if (only !== "python") run("npm", "pack", "--silent", "--pack-destination", folder);
if (only !== "npm") run(python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, "./training");
for (const name of packages()) {
  const hash = createHash("sha256")
    .update(readFileSync(join(folder, name)))
    .digest("hex");
  console.log(`${hash}  ${join(out, name)}`);
}
if (!draft)
  console.log(
    `\nNext: git tag v${version}, then upload both files to where they are installed from. npm publish is off: package.json is private.`,
  );
