import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { binaryOf, compile, SOURCES } from "../../../../scripts/build-kernels.ts";

it.each(SOURCES)("%s compiles to the committed binary (npm run build:kernels)", async (source) => {
  expect(Buffer.from(await compile(source)).equals(await readFile(binaryOf(source)))).toBe(true);
});
