import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { BINARY, compileKernels } from "../../../../scripts/build-kernels.ts";

it("are committed as their source compiles; npm run build:kernels does", async () => {
  expect(Buffer.from(await compileKernels()).equals(await readFile(BINARY))).toBe(true);
});
