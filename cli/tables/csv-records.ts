const NEWLINE = 0x0a;

/** A record of a table. */
export interface CsvRecord {
  /** Number of its first line, from 1; of a record with a problem, the line of the problem. */
  readonly line: number;
  /** Its fields; of a record with a problem, the fields before that. */
  readonly fields: readonly string[];
  /** Why it cannot be read. */
  readonly problem: string | null;
}

/**
 * Yields the records of a text whose lines end with \n. Nothing can be read after a quote that is never closed, so that record
 * is the last one.
 *
 * csv-parse cannot do this: it either rejects quotes within plain fields or accepts what follows a closing quote, and it
 * does not say on which line a record or an open quote begins.
 *
 * @param separator one UTF-16 unit
 * @param firstLine number of the text's first line
 */
export function* readCsvRecords(text: string, separator: string, firstLine: number): Generator<CsvRecord> {
  const code = separator.charCodeAt(0).toString(16).padStart(4, "0");
  // An opening quote, or a plain field, which may be empty.
  const field = new RegExp(`( *")|([^\\u${code}\\n]*)`, "y");
  let line = firstLine;
  let record = { line, fields: [] as string[] };
  for (let at = 0; at < text.length || record.fields.length > 0; ) {
    field.lastIndex = at;
    const [, opening, plain = ""] = field.exec(text) ?? [];
    at = field.lastIndex;
    if (opening === undefined) {
      record.fields.push(plain);
    } else {
      const end = findClosingQuote(text, at);
      if (end < 0) return yield { ...record, line, problem: "the quote that opens here is never closed" };
      const quoted = text.slice(at, end);
      record.fields.push(quoted.replaceAll('""', '"'));
      line += quoted.split("\n").length - 1;
      at = end + 1;
    }
    const next = String.fromCodePoint(text.codePointAt(at) ?? NEWLINE);
    at += next.length;
    if (next === separator) continue;
    if (next === "\n") {
      yield { ...record, problem: null };
    } else {
      const problem = `after the closing quote comes "${next}", not a separator or the end of the line`;
      yield { ...record, line, problem };
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end + 1;
    }
    line++;
    record = { line, fields: [] };
  }
}

function findClosingQuote(text: string, start: number): number {
  let end = text.indexOf('"', start);
  while (end >= 0 && text.charAt(end + 1) === '"') end = text.indexOf('"', end + 2);
  return end;
}
