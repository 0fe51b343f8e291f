// `npm run record [-- FOLDER]`: records the playground's pictures of docs/ from the real page, served as by `npm start`.
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { chromiumPath, startBrowser } from "../test/support/browser.ts";
import { freePort, interrupt, start, waitForResponse } from "../test/support/processes.ts";
import { makeTempFolder, removeTempFolder } from "../test/support/temp-folders.ts";
import { recordCompare } from "./recording/compare.ts";
import { animate } from "./recording/film.ts";
import { photographViews } from "./recording/screens.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [folder = "docs/pictures"] = positionals;

async function write(name: string, bytes: Buffer): Promise<void> {
  await writeFile(join(folder, name), bytes);
  console.log(`${join(folder, name)}: ${Math.ceil(bytes.byteLength / 1000)} kB`);
}

if (!chromiumPath) throw new Error("There is no Chromium on the path. On Debian: apt install chromium");
const database = await makeTempFolder("xpeft-record-");
const port = String(await freePort());
const { child, output } = start(["scripts/start.mjs", "--port", port, "--persist-to", database]);
const exited = once(child, "exit").then(() => {
  throw new Error(`The Worker ended:\n${output.stdout}${output.stderr}`);
});
const url = new URL(`http://localhost:${port}`);
try {
  await Promise.race([waitForResponse(`${url}healthz`), exited]);
  exited.catch(() => {});
  const browser = await startBrowser();
  const { frames, still } = await recordCompare(browser, url);
  await write("compare.webp", await animate(frames));
  await write("compare.png", await sharp(still).png({ palette: true, effort: 10 }).toBuffer());
  for (const [name, picture] of await photographViews(browser, url)) await write(`${name}.webp`, picture);
  await browser.close();
} finally {
  await interrupt(child);
  await removeTempFolder(database);
}
