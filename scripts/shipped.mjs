// Lists the third-party packages in the Worker's script and assets, and in the npm package.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./install.mjs";

/** Packages that the Worker's script contains and the npm package does not depend on. */
const BUNDLED = [
  "@hono/zod-openapi",
  "@preact/signals",
  "@tanstack/virtual-core",
  "ky",
  "preact",
  "swagger-ui-dist",
  "uplot",
];

/** Packages whose code the site of the documentation contains. Most of what they depend on only builds the site. */
const SITE = [
  "@docsearch/css",
  "@vue/reactivity",
  "@vue/runtime-core",
  "@vue/runtime-dom",
  "@vue/shared",
  "@vueuse/core",
  "@vueuse/integrations",
  "@vueuse/shared",
  "focus-trap",
  "mark.js",
  "minisearch",
  "tabbable",
  "vitepress",
  "vue",
];

/**
 * Returns the shipped packages and their dependencies, from package-lock.json.
 *
 * @returns {Map<string, { version: string, license?: string }>} by path
 */
export function shippedPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const shipped = new Map();

  function add(name, from) {
    const path = [`${from}/node_modules/${name}`, `node_modules/${name}`].find((candidate) => candidate in packages);
    if (path === undefined || shipped.has(path)) return;
    shipped.set(path, packages[path]);
    for (const next of Object.keys(packages[path].dependencies ?? {})) add(next, path);
  }
  for (const name of [...Object.keys(packages[""].dependencies), ...BUNDLED]) add(name, "");
  for (const name of SITE) shipped.set(`node_modules/${name}`, packages[`node_modules/${name}`]);
  return shipped;
}
