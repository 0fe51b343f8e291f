import { readFile, writeFile } from "node:fs/promises";
import { currentCommit } from "../../bench/git-commit.ts";
import type { Load } from "./faults.ts";
import type { Finding } from "./try.ts";

/** The document that contains the table between two marks. */
export const TABLE = "docs/reliability.md";
const BEGIN = "<!-- npm run faults writes this table -->";
const END = "<!-- to here -->";

const COLUMNS: readonly Load[] = ["profiles", "writes", "tokens", "keys", "long texts", "learnings", "health"];

function cell({ seen }: Finding, load: Load): string {
  const outcomes = [...(seen.get(load) ?? [])].sort(([a], [b]) => a.localeCompare(b));
  return outcomes.map(([outcome, count]) => `${count} ${outcome === "ok" ? "correct" : `\`${outcome}\``}`).join(", ");
}

function row(finding: Finding): string {
  const { fault, recoveredAfterMs, writesStored } = finding;
  const recovery = recoveredAfterMs === null ? "in another isolate" : `${(recoveredAfterMs / 1000).toFixed(1)} s`;
  const stored = writesStored === null ? "" : writesStored ? "all" : "not all";
  const cells = [fault.name, ...COLUMNS.map((load) => cell(finding, load)), recovery, stored];
  return `| ${cells.join(" | ")} |`;
}

/** Writes the findings into the document. */
export async function writeTable(findings: readonly Finding[], milliseconds: number): Promise<void> {
  const text = await readFile(TABLE, "utf8");
  const [before, rest] = text.split(BEGIN);
  const [, after] = (rest ?? "").split(END);
  if (after === undefined) throw new Error(`${TABLE} does not have both marks of the table.`);
  const head = [
    "fault",
    "profiles",
    "writes",
    "tokens",
    "keys with an expiry",
    "texts of 432 tokens",
    "learning",
    "`/healthz`",
    "recovered after",
    "acknowledged writes stored",
  ];
  const lines = [
    `Each fault lasts ${milliseconds / 1000} s. Commit ${await currentCommit()}:`,
    "",
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---|").join("")}`,
    ...findings.map(row),
  ];
  await writeFile(TABLE, `${before}${BEGIN}\n\n${lines.join("\n")}\n\n${END}${after}`);
}
