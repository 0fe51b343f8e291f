import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRows } from "../../../cli/tables/tables.ts";
import { CommandError } from "../../../node/errors.ts";
import { readLines } from "../../../node/text-lines.ts";
import { tableFixtures, writeFixture } from "../../support/table-fixtures.ts";
import { makeTempFolder, removeTempFolder } from "../../support/temp-folders.ts";

let folder: string;

beforeEach(async () => {
  folder = await makeTempFolder("xpeft-tables-");
});
afterEach(() => removeTempFolder(folder));

const failure = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(error instanceof CommandError)) throw new Error(`It is no CommandError: ${error}`);
  expect(error.hint).toMatch(/\S/);
  return error.message;
};

const messageOf = (path: string, { line, text }: { line: number | null; text: string }) =>
  line === null ? `${path} ${text}.` : `${path}:${line}: ${text}.`;

describe("a table's rows or its problem", () => {
  it.each(tableFixtures.tables.map((fixture) => [fixture.name, fixture] as const))("%s", async (_, fixture) => {
    const { needed = ["text", "label"], optional = ["text_pair", "profile"], rows, problem } = fixture;
    const path = await writeFixture(folder, fixture);
    const read = readRows(path, { needed, optional, hint: "Name them." });
    if (problem) expect(await failure(read)).toBe(messageOf(path, problem));
    else expect(await read).toEqual(rows);
  });
});

describe("a file's lines or its problem", () => {
  it.each(tableFixtures.lines.map((fixture) => [fixture.name, fixture] as const))("%s", async (_, fixture) => {
    const { lines, problem } = fixture;
    const path = await writeFixture(folder, fixture);
    const read = Array.fromAsync(readLines(path));
    if (problem) expect(await failure(read)).toBe(messageOf(path, problem));
    else expect(await read).toEqual(lines?.map((line, index) => ({ line, number: index + 1 })));
  });
});

it("names a file that does not exist, and a folder", async () => {
  for (const path of [`${folder}/none.csv`, folder]) {
    expect(await failure(Array.fromAsync(readLines(path)))).toBe(`${path} cannot be read.`);
  }
});
