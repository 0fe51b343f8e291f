import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A file that both halves read, and what it holds. */
interface Fixture {
  readonly name: string;
  /** The file's name. */
  readonly file: string;
  readonly content?: string;
  /** The content, if it is not UTF-8. */
  readonly base64?: string;
  /** Why the file cannot be read. Without a line, the text is the beginning of the message. */
  readonly problem?: { readonly line: number | null; readonly text: string };
}

/** A file of lines. */
export interface LinesFixture extends Fixture {
  readonly lines?: readonly string[];
}

/** A file of a table. */
export interface TableFixture extends Fixture {
  readonly needed?: readonly string[];
  readonly optional?: readonly string[];
  readonly rows?: readonly { readonly line: number; readonly fields: Readonly<Record<string, unknown>> }[];
}

/** What the fixtures abbreviate: long texts. */
const LONG = { "<long>": "word ".repeat(40_000), "<quotes>": '""'.repeat(200_000), "<half>": '"'.repeat(200_000) };

const spellOut = (json: string) =>
  Object.entries(LONG).reduce((text, [short, long]) => text.replaceAll(short, JSON.stringify(long).slice(1, -1)), json);

/** The files that the tests of both halves read. */
export const tableFixtures: { readonly lines: readonly LinesFixture[]; readonly tables: readonly TableFixture[] } =
  JSON.parse(spellOut(readFileSync(join(import.meta.dirname, "../fixtures/tables.json"), "utf8")));

/** Writes a fixture's file into a folder, and returns its path. */
export async function writeFixture(folder: string, { file, content, base64 }: Fixture): Promise<string> {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, base64 === undefined ? (content ?? "") : Buffer.from(base64, "base64"));
  return path;
}
