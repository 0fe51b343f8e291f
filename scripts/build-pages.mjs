// Builds the playground's pages, each of which becomes one HTML file with its style and its script inside; and gzips their
// worker and the viewer of /docs.
// Plain JavaScript for Node 20: wrangler runs it with the Node that is on the path.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(root, "dist", "pages");
const PAGES = ["compare", "learn"];
const VIEWER = {
  "viewer.js": import.meta.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
  "viewer.css": import.meta.resolve("swagger-ui-dist/swagger-ui.css"),
};

const OPTIONS = {
  outdir: OUT,
  write: false,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2023",
  charset: "utf8",
  legalComments: "none",
};

/** Returns the HTML of a page. The Worker replaces its `%NONCE%` in each response. */
async function htmlOf(page) {
  const folder = join(root, "playground", page);
  const { outputFiles } = await build({
    ...OPTIONS,
    entryPoints: [join(folder, "main.ts"), join(folder, "style.css")],
  });
  const textOf = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text.trim();
  const html = await readFile(join(folder, "index.html"), "utf8");
  return html.replace("%STYLE%", () => textOf(".css")).replace("%SCRIPT%", () => textOf(".js"));
}

/** Returns the script of the worker that labels texts in a page. */
async function localScript() {
  const { outputFiles } = await build({
    ...OPTIONS,
    entryPoints: [join(root, "playground", "local", "main.ts")],
    format: "esm",
    loader: { ".wasm": "binary" },
  });
  return outputFiles[0].contents;
}

/** Writes a file in one step, and only if it differs: another process may be reading it. */
async function writeIfChanged(name, content) {
  const [path, bytes] = [join(OUT, name), Buffer.from(content)];
  if ((await readFile(path).catch(() => null))?.equals(bytes)) return;
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, bytes);
  await rename(partial, path);
}

const writeGzipped = (name, content) => writeIfChanged(`${name}.gz`, gzipSync(content, { level: 9 }));

/** Builds all pages, the worker and the viewer into `dist/pages`, which the Worker imports. */
export async function buildPages() {
  await mkdir(OUT, { recursive: true });
  await Promise.all([
    readFile(join(root, "playground", "docs.html")).then((html) => writeIfChanged("docs.html", html)),
    ...PAGES.map(async (page) => writeIfChanged(`${page}.html`, await htmlOf(page))),
    ...Object.entries(VIEWER).map(async ([name, source]) => writeGzipped(name, await readFile(fileURLToPath(source)))),
    localScript().then((script) => writeGzipped("local.js", script)),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPages();
