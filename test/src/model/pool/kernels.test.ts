import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { assemble, binaryOf, SOURCES } from "../../../../scripts/build-kernels.ts";

it.each(SOURCES)("%s assembles to the committed binary (npm run build:kernels)", async (source) => {
  expect(Buffer.from(await assemble(source)).equals(await readFile(binaryOf(source)))).toBe(true);
});
