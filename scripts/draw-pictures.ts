// `npm run draw [-- FOLDER]`: draws the pictures of docs/: folders from the code's imports, masks from two demo profiles.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_BUNDLE, readBundle } from "../node/files.ts";
import { maskShapeOf } from "../src/profiles/masks.ts";
import { drawFolders } from "./pictures/folders.ts";
import { drawMasks } from "./pictures/masks.ts";
import { drawMethod } from "./pictures/method.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [folder = "docs/pictures"] = positionals;

const lines = (await readFile("bundles/demo/news/profiles.ndjson", "utf8")).split("\n", 2);
const [first, second] = lines.map((line) => JSON.parse(line));
const { manifest } = await readBundle(DEFAULT_BUNDLE);

await writeFile(join(folder, "folders.svg"), await drawFolders());
await writeFile(join(folder, "method.svg"), drawMethod());
await writeFile(join(folder, "masks.svg"), drawMasks(first, second, maskShapeOf(manifest)));
