import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import rules from "../../.dependency-cruiser.mjs";
import { sourceFolders } from "../checks.mjs";

/** What each folder of the TypeScript half holds; folders inside `src/` and `app/` are boxes of their own. */
const FOLDERS: Readonly<Record<string, string>> = {
  cli: "the xpeft command",
  client: "typed client, engine in a page",
  node: "the engine and server in Node",
  functions: "the Worker",
  playground: "web pages",
  "app/app": "the Hono app",
  "app/routes": "one file a route",
  "app/middleware": "access, bodies, log",
  "app/service": "engine, databases, caches",
  "app/platform": "what runtimes differ in",
  "app/http": "problems, schemas, streams",
  "src/serving": "engine, predictor, caches",
  "src/learn": "masks from labelled texts",
  "src/sharding": "several databases",
  "src/auth": "keys and profile tokens",
  "src/model": "pool, merge, encoder, head",
  "src/storage": "rows of a database",
  "src/profiles": "masks, task, profile",
  "src/bundle": "manifest and files",
  "src/text": "text to tokens",
  schema: "tables and migrations",
};

/** Every folder imports these, so the picture leaves them out. */
const EVERYWHERE = /^src\/(lib\/|errors\.ts$)/;

/** An inline import of a type, which dependency-cruiser does not find. */
const INLINE_TYPE = /\bimport\("(\.[^"]+)"\)/g;

/** Returns the box that a file belongs to; null for files that are not drawn. */
function folderOf(path: string): string | null {
  if (EVERYWHERE.test(path)) return null;
  if (/^app\/[^/]+\.ts$/.test(path)) return "app/app";
  return Object.keys(FOLDERS).find((folder) => path.startsWith(`${folder}/`)) ?? null;
}

/** Returns the imports between folders, type-only imports included, as the code has them now. */
async function readImports(): Promise<Map<string, Set<string>>> {
  const { output } = await cruise(sourceFolders, {
    ...rules.options,
    exclude: { path: ["node_modules", "/\\.wrangler/"] },
  });
  const imports = new Map(Object.keys(FOLDERS).map((folder) => [folder, new Set<string>()]));
  for (const { source, dependencies } of (output as ICruiseResult).modules) {
    const from = folderOf(source);
    if (!from) continue;
    const inline = [...(await readFile(source, "utf8")).matchAll(INLINE_TYPE)].map(([, path = ""]) =>
      join(dirname(source), path),
    );
    for (const path of [...dependencies.map(({ resolved }) => resolved), ...inline]) {
      const to = folderOf(path);
      if (to && to !== from) imports.get(from)?.add(to);
    }
  }
  return imports;
}

/** Returns the arrows, without those between folders that a longer path connects too. */
function withoutShortcuts(imports: Map<string, Set<string>>): [string, string][] {
  const reaches = (from: string, to: string): boolean =>
    [...(imports.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  return [...imports].flatMap(([from, below]) =>
    [...below]
      .filter((to) => ![...below].some((between) => between !== to && reaches(between, to)))
      .sort()
      .map((to): [string, string] => [from, to]),
  );
}

const node = (folder: string) => {
  const name = folder === "app/app" ? "app/" : `${folder}/`;
  return `"${folder}" [label=<<b>${name}</b><br/><font point-size="10">${FOLDERS[folder]}</font>>];`;
};

/** Draws the folders of the TypeScript half and their imports. An arrow points down, to what is imported. */
export async function drawFolders(): Promise<string> {
  const arrows = withoutShortcuts(await readImports());
  const cluster = (name: string, fill: string) =>
    `subgraph "cluster_${name}" { style="rounded,filled"; color="${fill}"; ${Object.keys(FOLDERS)
      .filter((folder) => folder.startsWith(`${name}/`))
      .map(node)
      .join(" ")} }`;
  const dot = `digraph {
    graph [rankdir=TB, bgcolor=white, fontname="Helvetica", nodesep=0.25, ranksep=0.45];
    node [shape=box, style="rounded,filled", fillcolor=white, margin="0.16,0.08", color="#555555", fontname="Helvetica", fontsize=12];
    edge [color="#555555", arrowsize=0.7];
    ${cluster("app", "#e8f0f8")}
    ${cluster("src", "#f8ede0")}
    ${["cli", "client", "node", "playground", "schema"].map(node).join("\n")}
    ${arrows.map(([from, to]) => `"${from}" -> "${to}";`).join("\n")}
  }`;
  const graphviz = await Graphviz.load();
  return `${graphviz.dot(dot)}\n`;
}
