// What of others the Worker's script and the npm package carry.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./install.mjs";

/** Parts of the Worker's script that are no dependencies of the package. */
const BUNDLED = ["@hono/zod-openapi", "swagger-ui-dist"];

/**
 * The packages that are shipped, with what they bring, as package-lock.json has them.
 *
 * @returns {Map<string, { version: string, license?: string }>} by their paths
 */
export function shippedPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const shipped = new Map();

  function add(name, from) {
    const path = [`${from}/node_modules/${name}`, `node_modules/${name}`].find((one) => one in packages);
    if (path === undefined || shipped.has(path)) return;
    shipped.set(path, packages[path]);
    for (const next of Object.keys(packages[path].dependencies ?? {})) add(next, path);
  }
  for (const name of [...Object.keys(packages[""].dependencies), ...BUNDLED]) add(name, "");
  return shipped;
}
