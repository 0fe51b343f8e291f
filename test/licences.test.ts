import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

/** Licences under which what the Worker and the package carry may be passed on, with a notice. */
const ALLOWED = new Set(["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

/** Parts of the Worker's script that npm does not count among what is installed with the package. */
const BUNDLED = ["node_modules/@hono/zod-openapi", "node_modules/swagger-ui-dist"];

interface Package {
  readonly license?: string;
  readonly dev?: true;
  /** Whether it is there for wrangler alone, which a project may bring or leave out. */
  readonly peer?: true;
  readonly devOptional?: true;
}

it("ships nothing under a licence that would bind those who use it", async () => {
  const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as { packages: Record<string, Package> };
  const shipped = Object.entries(packages).filter(
    ([path, { dev, peer, devOptional }]) => path !== "" && ((!dev && !peer && !devOptional) || BUNDLED.includes(path)),
  );
  expect(shipped.length).toBeGreaterThan(20);
  expect(shipped.map(([path]) => path)).toEqual(expect.arrayContaining(BUNDLED));
  expect(shipped.filter(([, { license = "none" }]) => !ALLOWED.has(license))).toEqual([]);
});
