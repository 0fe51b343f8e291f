// Builds the playground's pages, each of which becomes one HTML file with its style and its script inside, and packs the
// viewer of /docs.
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

/** Returns the HTML of a page. The Worker replaces its `%NONCE%` in each response. */
async function htmlOf(page) {
  const folder = join(root, "playground", page);
  const { outputFiles } = await build({
    entryPoints: [join(folder, "main.ts"), join(folder, "style.css")],
    outdir: OUT,
    write: false,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2023",
    charset: "utf8",
    legalComments: "none",
  });
  const textOf = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text.trim();
  const html = await readFile(join(folder, "index.html"), "utf8");
  return html.replace("%STYLE%", () => textOf(".css")).replace("%SCRIPT%", () => textOf(".js"));
}

/** Writes a file in one step, and only if it differs: another process may be reading it. */
async function writeIfChanged(name, content) {
  const [path, bytes] = [join(OUT, name), Buffer.from(content)];
  if ((await readFile(path).catch(() => null))?.equals(bytes)) return;
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, bytes);
  await rename(partial, path);
}

/** Builds all pages and the packed viewer into `dist/pages`, which the Worker imports. */
export async function buildPages() {
  await mkdir(OUT, { recursive: true });
  await Promise.all([
    ...PAGES.map(async (page) => writeIfChanged(`${page}.html`, await htmlOf(page))),
    ...Object.entries(VIEWER).map(async ([name, source]) =>
      writeIfChanged(`${name}.gz`, gzipSync(await readFile(fileURLToPath(source)), { level: 9 })),
    ),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPages();
