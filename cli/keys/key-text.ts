import { getTableColumns } from "drizzle-orm";
import { keys } from "../../schema/tables.ts";
import type { KeyRecord, NewKey } from "../../src/auth/api-keys.ts";
import { columns, formatMinute } from "../output.ts";

/** A key's row as the database has it. */
type KeyRow = typeof keys.$inferSelect;

/** Text that neither SQL nor a shell reads anything into, within quotes of either kind. */
const PLAIN = /^[\w .:@-]*$/;

function literal(value: KeyRow[keyof KeyRow]): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return `x'${Buffer.from(value).toString("hex")}'`;
  return PLAIN.test(value) ? `'${value}'` : `CAST(${literal(Buffer.from(value))} AS TEXT)`;
}

/** The statement that adds a key's row; it can stand between double quotes in a shell as it is. */
export function insertStatement(row: KeyRow): string {
  const values = new Map<string, KeyRow[keyof KeyRow]>(Object.entries(row));
  const columns = Object.entries(getTableColumns(keys)).map(([field, { name }]) => ({
    name,
    value: literal(values.get(field) ?? null),
  }));
  const listed = (part: "name" | "value") => columns.map((column) => column[part]).join(", ");
  return `INSERT INTO keys (${listed("name")}) VALUES (${listed("value")});`;
}

/** What a key may do, in one line. */
export function describeKey(id: string, { name, scopes, task, profilePrefix, expiresAt }: NewKey): string {
  const reached = [
    task === null ? "all tasks" : `task ${task}`,
    profilePrefix === "" ? "all profiles" : `profiles that start with ${profilePrefix}`,
  ];
  const until = expiresAt ? `expires ${expiresAt.toISOString()}` : "never expires";
  return `Key ${id} (${name}): ${[scopes.join(" "), ...reached, until].join("; ")}.`;
}

const HEADINGS = ["id", "name", "scopes", "task", "prefix", "created", "expires", "last used"];

/** Keys as a table to read, headings first. */
export function keyTable(records: readonly KeyRecord[]): string {
  const rows = records.map(({ id, name, scopes, task, profilePrefix, createdAt, expiresAt, lastUsedAt }) => [
    id,
    name,
    scopes.join(" "),
    task ?? "-",
    profilePrefix || "-",
    formatMinute(createdAt),
    expiresAt ? formatMinute(expiresAt) : "never",
    lastUsedAt ? formatMinute(lastUsedAt) : "never",
  ]);
  return columns(HEADINGS, rows);
}
