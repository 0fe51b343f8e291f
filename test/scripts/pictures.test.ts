import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "../support/processes.ts";

it("draws exactly the pictures committed in the docs", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xpeft-pictures-"));
  try {
    expect(await run(["scripts/draw-pictures.ts", folder])).toMatchObject({ code: 0, stderr: "" });
    const committed = (await readdir("docs/pictures")).filter((name) => name.endsWith(".svg"));
    expect((await readdir(folder)).sort()).toEqual(committed.sort());
    for (const name of committed) {
      expect(await readFile(join(folder, name), "utf8"), `${name}: npm run draw`).toBe(
        await readFile(join("docs/pictures", name), "utf8"),
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
