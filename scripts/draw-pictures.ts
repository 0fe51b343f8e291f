// `npm run draw [-- FOLDER]`: draws the pictures of docs/: the method, and folders from the code's imports.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawFolders } from "./pictures/folders.ts";
import { drawMethod } from "./pictures/method.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [folder = "docs/pictures"] = positionals;

await writeFile(join(folder, "folders.svg"), await drawFolders());
await writeFile(join(folder, "method.svg"), drawMethod());
