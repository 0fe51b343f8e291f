// `npm run draw`: the pictures of docs/concepts.md, from the demo's own profiles. Another folder to draw them to may be named.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawTwoMasks } from "./pictures/masks.ts";
import { drawMethod } from "./pictures/method.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const [out = "docs/pictures"] = positionals;

const lines = (await readFile("bundles/demo/news/profiles.ndjson", "utf8")).split("\n", 2);
const [first, second] = lines.map((line) => JSON.parse(line));
const { layers, pool } = JSON.parse(await readFile("bundles/minilm-l6-v2/manifest.json", "utf8"));

await writeFile(join(out, "method.svg"), drawMethod());
await writeFile(join(out, "masks.svg"), drawTwoMasks(first, second, { layers, ...pool }));
