import { getBorderCharacters, table } from "table";
import type { OutputOptions } from "./options.ts";

/** Prints what a command found: as JSON on one line, or as text. */
export function printResult({ json }: OutputOptions, result: unknown, formatText: () => string): void {
  console.log(json ? JSON.stringify(result) : formatText());
}

/** Returns rows as aligned columns under their headings. */
export function formatColumns(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const text = table(
    [headings, ...rows].map((row) => row.map(String)),
    {
      border: getBorderCharacters("void"),
      columnDefault: { paddingLeft: 0, paddingRight: 2 },
      drawHorizontalLine: () => false,
    },
  );
  return text.trimEnd().replace(/ +$/gm, "");
}

/** Returns a time in UTC to the minute, such as 2026-01-31T12:00Z. */
export const formatMinute = (time: string | Date): string => `${new Date(time).toISOString().slice(0, 16)}Z`;
