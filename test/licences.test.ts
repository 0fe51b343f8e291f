import { expect, it } from "vitest";
import { shippedPackages } from "../scripts/shipped.mjs";

/** Licences that let the Worker and the package ship a dependency with a notice. */
const ALLOWED = new Set(["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

it("ships only dependencies with permissive licences", () => {
  const shipped = [...shippedPackages()];
  expect(shipped.length).toBeGreaterThan(20);
  expect(shipped.filter(([, { license = "none" }]) => !ALLOWED.has(license))).toEqual([]);
});
