// Lists the third-party packages in the Worker's script and the npm package.
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
  return shipped;
}
