import type { Command } from "commander";
import { getBorderCharacters, table } from "table";

/** Whether a command's answer is for a program. */
export interface OutputOptions {
  readonly json?: boolean;
}

/** Adds the option by which a command answers in JSON. */
export function addJsonOption(command: Command): Command {
  return command.option("--json", "answer in JSON, for programs");
}

/** Says what a command found: as JSON on one line, or as text. */
export function printAnswer({ json }: OutputOptions, found: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(found) : text());
}

/** Columns under their headings, as text to read. */
export function columns(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const drawn = table(
    [headings, ...rows].map((row) => row.map(String)),
    {
      border: getBorderCharacters("void"),
      columnDefault: { paddingLeft: 0, paddingRight: 2 },
      drawHorizontalLine: () => false,
    },
  );
  return drawn.trimEnd().replace(/ +$/gm, "");
}

/** A moment, to the minute. */
export const formatMinute = (time: string | Date): string => `${new Date(time).toISOString().slice(0, 16)}Z`;
