// `npm pack` runs it: builds what the npm package has in dist/.
import { spawnSync } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { buildSite } from "./build-assets.mjs";
import { buildPages } from "./build-pages.mjs";
import { fail, root } from "./install.mjs";

/** The folders that the compiler writes. */
const COMPILED = ["app", "cli", "client", "functions", "node", "schema", "src"];

const KERNELS = join("src", "model", "kernels");

await Promise.all([
  buildPages(),
  buildSite(),
  // The compiler leaves what it compiled from sources that are gone.
  ...COMPILED.map((folder) => rm(join(root, "dist", folder), { recursive: true, force: true })),
]);
const tsc = [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", join(root, "tsconfig.package.json")];
const { status } = spawnSync(process.execPath, tsc, { stdio: "inherit" });
if (status !== 0) fail("The package cannot be compiled; the compiler's own message is above.");
for (const name of ["encoder.wasm", "kernels.wasm"])
  await cp(join(root, KERNELS, name), join(root, "dist", KERNELS, name));
