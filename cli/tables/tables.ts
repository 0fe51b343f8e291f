import { z } from "zod";
import { CommandError } from "../../node/errors.ts";
import { readJsonLines, readLines } from "../../node/text-lines.ts";
import { isBlank, trimWhiteSpace } from "../../src/lib/white-space.ts";
import { type CsvRecord, readCsvRecords } from "./csv-records.ts";

/** A row of a table. */
export interface Row {
  /** Number of its first line, from 1. */
  readonly line: number;
  /** Its fields by the names that were asked for. In JSON Lines they are any values. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The columns that a command reads. Other columns are ignored. */
export interface Columns {
  readonly needed: readonly string[];
  /** Columns that rows have if the table does. */
  readonly optional: readonly string[];
  /** What to do if a column is missing or a line is not a row. */
  readonly hint: string;
}

const SEPARATORS: Readonly<Record<string, string>> = { ",": "comma", ";": "semicolon", "\t": "tab" };

const ROW_HINT =
  "Give each row the header's fields. Quote a field that holds a separator or a line end, and double the quotes inside it.";

const MAX_SHOWN_COLUMNS = 10;
const MAX_SHOWN_LETTERS = 40;

/** Whether a file's name says JSON Lines. This holds for .json too, so that a JSON array is not taken for text. */
export const isJsonLines = (path: string): boolean => /\.(jsonl?|ndjson)(\.gz)?$/i.test(path);

/** Whether a file's name says that it is a table of separated values. */
export const isSeparatedValues = (path: string): boolean => /\.[ct]sv(\.gz)?$/i.test(path);

/**
 * Reads a table (docs/formats.md, "Tables and lines"): JSON Lines if the file's name says so, otherwise CSV.
 *
 * @returns its rows, in the file's order
 * @throws CommandError that names file and line
 */
export function readRows(path: string, columns: Columns): Promise<Row[]> {
  return isJsonLines(path) ? readJsonRows(path, columns) : readCsvRows(path, columns);
}

async function readJsonRows(path: string, { needed, optional, hint }: Columns): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { line, number } of readJsonLines(path)) {
    const location = `${path}:${number}`;
    const fields = parseObject(line);
    if (!fields) throw new CommandError(`${location}: it is not a JSON object.`, hint);
    const missing = needed.find((name) => !Object.hasOwn(fields, name));
    if (missing !== undefined)
      throw new CommandError(`${location}: ${describeMissing(missing, Object.keys(fields))}.`, hint);
    const found = [...needed, ...optional].filter((name) => Object.hasOwn(fields, name));
    rows.push({ line: number, fields: Object.fromEntries(found.map((name) => [name, fields[name]])) });
  }
  return rows;
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(json));
  } catch {
    return null;
  }
}

/**
 * Checks a row's fields.
 *
 * @param hints what to do about values that break a field's own rule; `hint` is for others
 * @throws CommandError that names line and field
 */
export function parseRow<T>(
  schema: z.ZodType<T>,
  { line, fields }: Row,
  path: string,
  hint: string,
  hints: Readonly<Record<string, string>> = {},
): T {
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") ?? "";
  const fieldHint = issue?.code === "custom" ? hints[field] : undefined;
  throw new CommandError(`${path}:${line}: ${field}: ${issue?.message}.`, fieldHint ?? hint);
}

async function readCsvRows(path: string, columns: Columns): Promise<Row[]> {
  const { header, records } = findHeader(await readTable(path), path, columns);
  if (!header) return [];
  const names = namesOf(header);
  const places = new Map<string, number>();
  for (const name of [...columns.needed, ...columns.optional]) {
    const [place, ...others] = placesOf(names, name);
    if (others.length > 0) {
      throw new CommandError(
        `${path}:${header.line}: ${others.length + 1} columns are named ${show(name)}.`,
        "Rename the ones that are not meant.",
      );
    }
    if (place !== undefined) places.set(name, place);
  }
  return Array.from(records, (record) => {
    const problem = record.problem ?? describeProblem(record, names, header.fields.length);
    if (problem !== null) throw new CommandError(`${path}:${record.line}: ${problem}.`, ROW_HINT);
    const fields = Object.fromEntries([...places].map(([name, place]) => [name, record.fields[place]]));
    return { line: record.line, fields };
  });
}

/** A table's text after the line that names its separator, if there is one. */
interface Table {
  readonly text: string;
  /** Number of the text's first line, from 1. */
  readonly line: number;
  /** What may separate its fields. */
  readonly separators: readonly string[];
}

async function readTable(path: string): Promise<Table> {
  const lines = (await Array.fromAsync(readLines(path))).map(({ line }) => line);
  const [, separator] = /^sep=([^" ])$/i.exec(lines[0] ?? "") ?? [];
  if (separator !== undefined) return { text: lines.slice(1).join("\n"), line: 2, separators: [separator] };
  const isTabs = /\.tsv(\.gz)?$/i.test(path);
  return { text: lines.join("\n"), line: 1, separators: isTabs ? ["\t"] : Object.keys(SEPARATORS) };
}

/**
 * Returns the header and the records after it, split at the separator with which the header has the needed columns. Without a
 * record there is no header.
 *
 * @throws CommandError if no separator gives the needed columns
 */
function findHeader({ text, line, separators }: Table, path: string, { needed, hint }: Columns) {
  const headers: CsvRecord[] = [];
  for (const separator of separators) {
    const records = withoutBlanks(readCsvRecords(text, separator, line));
    const { value: header } = records.next();
    if (!header) return { header, records };
    const names = namesOf(header);
    if (header.problem === null && needed.every((name) => placesOf(names, name).length > 0)) return { header, records };
    headers.push(header);
  }
  const [header] = headers.toSorted(
    (a, b) => Number(a.problem !== null) - Number(b.problem !== null) || b.fields.length - a.fields.length,
  );
  const location = `${path}:${header?.line}`;
  if (header?.problem) throw new CommandError(`${location}: ${header.problem}.`, ROW_HINT);
  const names = header ? namesOf(header) : [];
  const missing = needed.find((name) => placesOf(names, name).length === 0) ?? "";
  const tried = separators.map((separator) => SEPARATORS[separator] ?? separator).join(", ");
  throw new CommandError(`${location}: ${describeMissing(missing, names)} (separators tried: ${tried}).`, hint);
}

function* withoutBlanks(records: Iterable<CsvRecord>): Generator<CsvRecord> {
  for (const record of records) if (record.problem !== null || !record.fields.every(isBlank)) yield record;
}

/** Returns a record's fields as names: trimmed, without blank ones at the end, which Excel adds. */
function namesOf({ fields }: CsvRecord): string[] {
  const names = fields.map(trimWhiteSpace);
  return names.slice(0, names.findLastIndex((name) => name !== "") + 1);
}

/** Returns where a column is; ignoring case if no column has exactly that name. */
function placesOf(columns: readonly string[], name: string): number[] {
  const placesBy = (key: (name: string) => string) =>
    columns.flatMap((column, place) => (key(column) === key(name) ? [place] : []));
  const exact = placesBy((name) => name);
  return exact.length > 0 ? exact : placesBy((name) => name.toLowerCase());
}

/** Returns why a record is not a row, or null. Fields after the first `maxFields` must be blank. */
function describeProblem({ fields }: CsvRecord, columns: readonly string[], maxFields: number): string | null {
  const isHeader =
    columns.every((column, index) => isSameName(fields[index] ?? "", column)) &&
    fields.slice(columns.length).every(isBlank);
  if (isHeader) return "it is the header again, as where two files were joined";
  if (fields.length >= columns.length && fields.slice(maxFields).every(isBlank)) return null;
  return `it has ${fields.length} fields, and the header has ${columns.length}`;
}

const isSameName = (field: string, column: string): boolean =>
  trimWhiteSpace(field).toLowerCase() === column.toLowerCase();

function describeMissing(name: string, columns: readonly string[]): string {
  const shown = columns.slice(0, MAX_SHOWN_COLUMNS).map(show);
  if (columns.length > MAX_SHOWN_COLUMNS) shown.push("…");
  return `there is no column ${show(name)} among ${shown.join(", ")}`;
}

/** Returns a name in quotes, with control characters escaped, cut if it is long. */
const show = (name: string): string => JSON.stringify([...name].slice(0, MAX_SHOWN_LETTERS).join(""));
