// `npm run draw [-- FOLDER]`: draws the pictures of docs/: the method, folders from the code's imports, and
// README's badges.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawBadges } from "./pictures/badges.ts";
import { drawFolders } from "./pictures/folders.ts";
import { drawMethod } from "./pictures/method.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [folder = "docs/pictures"] = positionals;

await writeFile(join(folder, "folders.svg"), await drawFolders());
await writeFile(join(folder, "method.svg"), drawMethod());
for (const [name, badge] of await drawBadges()) await writeFile(join(folder, name), badge);
