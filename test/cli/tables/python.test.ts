import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRows } from "../../../cli/tables/tables.ts";
import { isLongForm } from "../../support/long-form.ts";
import { missingPython, runPython } from "../../support/python.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";
import { uglyTables } from "../../support/ugly-tables.ts";

const TABLES = isLongForm ? 50_000 : 2_000;
const COLUMNS = { needed: ["text", "label"], optional: ["text_pair", "profile"], hint: "" };

const UNREADABLE = " cannot be read";

let folder: string;
beforeAll(async () => {
  folder = await makeTempFolder("xpeft-ugly-");
});
afterAll(() => removeTempFolder(folder));

/** Returns an error with the location as both halves can say it. Only their JSON parsers word errors differently. */
function comparable(message: string, path: string): string {
  const [, line, problem = ""] = /^(?::|, line )(\d+): (.*?)\.?$/s.exec(message.slice(path.length)) ?? [];
  if (line === undefined) return message.slice(path.length, path.length + UNREADABLE.length);
  return `${line}: ${/JSON|Input should be/.test(problem) ? "JSON" : problem}`;
}

async function readTable(path: string) {
  try {
    return await readRows(path, COLUMNS);
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
}

describe.skipIf(missingPython !== undefined)(`the Python half [${missingPython ?? "found"}]`, () => {
  it("reads every table as this half does", { timeout: 600_000 }, async () => {
    const tables = fc.sample(uglyTables, TABLES);
    const paths: string[] = [];
    for (const [index, { file, bytes }] of tables.entries()) {
      const path = join(folder, String(index), file);
      await mkdir(join(path, ".."));
      await writeFile(path, bytes);
      paths.push(path);
    }
    const env = { PYTHONPATH: resolve("training") };
    const answers = (await runPython(join(import.meta.dirname, "reference.py"), paths, env)) as unknown[];
    let readable = 0;
    for (const [index, path] of paths.entries()) {
      const [ours, theirs] = [await readTable(path), answers[index]].map((found) =>
        typeof found === "string" ? comparable(found, path) : found,
      );
      if (typeof ours !== "string") readable++;
      // Of gzip that is cut, one half may find another problem before the end.
      if ([ours, theirs].includes(UNREADABLE) && [ours, theirs].every((found) => typeof found === "string")) continue;
      const content = JSON.stringify(Buffer.from(tables[index]?.bytes ?? []).toString("latin1"));
      expect(ours, `${tables[index]?.file}: ${content}`).toEqual(theirs);
    }
    // The property says little if most tables cannot be read.
    expect(readable).toBeGreaterThan(TABLES / 4);
  });
});
