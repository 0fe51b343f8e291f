import { expect, it } from "vitest";
import { shippedPackages } from "../scripts/shipped.mjs";

/** Licences under which what the Worker and the package carry may be passed on, with a notice. */
const ALLOWED = new Set(["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

it("ships nothing under a licence that would bind those who use it", () => {
  const shipped = [...shippedPackages()];
  expect(shipped.length).toBeGreaterThan(20);
  expect(shipped.filter(([, { license = "none" }]) => !ALLOWED.has(license))).toEqual([]);
});
