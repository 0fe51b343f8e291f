// Builds the playground: an HTML file with its style inside, and its script and its web worker, gzipped as the viewer of
// /api is.
// Plain JavaScript for Node 20: wrangler runs it with the Node that is on the path.
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const OUT = join(root, "dist", "pages");
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

/** Returns the playground's HTML and its script. The Worker replaces `%NONCE%` and `%LOCAL_KEY%` in each response. */
async function playground() {
  const folder = join(root, "playground");
  const { outputFiles } = await build({
    ...OPTIONS,
    entryPoints: [join(folder, "main.tsx"), join(folder, "style", "main.css")],
    format: "esm",
    jsx: "automatic",
    jsxImportSource: "preact",
  });
  const fileOf = (extension) => outputFiles.find(({ path }) => path.endsWith(extension));
  const [script, style] = [fileOf(".js").contents, fileOf(".css").text.trim()];
  const version = createHash("sha256").update(script).digest("hex").slice(0, 16);
  const html = await readFile(join(folder, "index.html"), "utf8");
  return { script, html: html.replace("%STYLE%", () => style).replaceAll("%VERSION%", version) };
}

/** Writes the playground's page and its script. */
async function writePlayground() {
  const { script, html } = await playground();
  await Promise.all([writeIfChanged("playground.html", html), writeGzipped("app.js", script)]);
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

/** Builds the pages, their scripts and the viewer into `dist/pages`, which the Worker imports. */
export async function buildPages() {
  await mkdir(OUT, { recursive: true });
  await Promise.all([
    readFile(join(root, "playground", "api.html")).then((html) => writeIfChanged("api.html", html)),
    writePlayground(),
    ...Object.entries(VIEWER).map(async ([name, source]) => writeGzipped(name, await readFile(fileURLToPath(source)))),
    localScript().then((script) => writeGzipped("local.js", script)),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPages();
