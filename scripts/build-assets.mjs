// Assembles the Worker's static assets in `dist/assets`: the files of a bundle, and in `docs/` the site of the
// documentation. Without the folder of a bundle, as in `npm run docs`, it builds the site alone.
// Plain JavaScript for Node 20: wrangler runs it with the Node that is on the path.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { filesOf } from "./prepare.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(root, "dist", "assets");
const CACHE = join(root, "node_modules", ".cache", "docs");

/** How old a cached build is at least when it is removed. */
const OLD_MS = 3_600_000;

/** Files and folders that the site is made from. */
const SOURCES = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "docs",
  "bench",
  "examples",
  "training/README.md",
  "training/results",
];

/** Returns a hash of what the site is made from. */
function siteHash() {
  const sources = SOURCES.flatMap((source) => filesOf(join(root, source))).filter((path) =>
    /^(?!.*\/\.temp\/).*\.(md|svg|png|webp|mjs|js|css)$/.test(path),
  );
  const hash = createHash("sha256");
  for (const path of [...sources, join(root, "package-lock.json"), fileURLToPath(import.meta.url)])
    hash.update(`${relative(root, path)}\0`).update(readFileSync(path));
  return hash.digest("hex");
}

/** Returns paths of a folder's files, relative to it. */
async function filesIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}

/** Copies a file in one step, and only if it differs: another process may be reading it. */
async function copyIfChanged(from, to) {
  const [{ size, mtime }, old] = await Promise.all([stat(from), stat(to).catch(() => null)]);
  if (old?.size === size && old.mtime.getTime() === mtime.getTime()) return;
  const partial = `${to}.${process.pid}`;
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, partial);
  await utimes(partial, mtime, mtime);
  await rename(partial, to);
}

/** Makes the folder `to` hold the files of `from`, and no others of those that `owns` selects. */
async function syncFolder(from, to, owns = () => true) {
  const names = await filesIn(from);
  await Promise.all(names.map((name) => copyIfChanged(join(from, name), join(to, name))));
  const old = (await filesIn(to)).filter((name) => owns(name) && !names.includes(name));
  await Promise.all(old.map((name) => rm(join(to, name))));
}

/** Copies the files of a bundle's folder to `dist/assets`. */
export async function copyBundle(folder) {
  if (!existsSync(join(root, folder, "manifest.json")))
    throw new Error(`${folder} has no manifest.json: it is no folder of a bundle.`);
  await syncFolder(join(root, folder), OUT, (name) => dirname(name) === ".");
}

/** Removes builds of other sources, unless another process may still use them. */
async function removeOldBuilds() {
  for (const name of await readdir(CACHE)) {
    const path = join(CACHE, name);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > OLD_MS) await rm(path, { recursive: true, force: true });
  }
}

/** Builds the site of the documentation into `dist/assets/docs`. The build of unchanged sources is cached. */
export async function buildSite() {
  const built = join(CACHE, siteHash());
  if (!existsSync(built)) {
    const building = `${built}.${process.pid}`;
    const args = [
      join(root, "node_modules", "vitepress", "bin", "vitepress.js"),
      "build",
      "docs",
      "--outDir",
      building,
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Error(`VitePress cannot build docs/:\n${stdout}${stderr}`);
    await removeOldBuilds();
    // Another process may have built the same site meanwhile.
    await rename(building, built).catch(() => rm(building, { recursive: true, force: true }));
  }
  await syncFolder(built, join(OUT, "docs"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [bundle] = process.argv.slice(2);
  await Promise.all([bundle && copyBundle(bundle), buildSite()]);
}
