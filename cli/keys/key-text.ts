import { getTableColumns } from "drizzle-orm";
import { keys } from "../../schema/tables.ts";
import type { KeyRecord, NewKey } from "../../src/auth/api-keys.ts";
import { formatColumns, formatMinute } from "../output.ts";

/** A key's row in the database. */
type KeyRow = typeof keys.$inferSelect;

/** Text that is safe within quotes of either kind, in SQL and in a shell. */
const SAFE_TEXT = /^[\w .:@-]*$/;

function toLiteral(value: KeyRow[keyof KeyRow]): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return `x'${Buffer.from(value).toString("hex")}'`;
  return SAFE_TEXT.test(value) ? `'${value}'` : `CAST(${toLiteral(Buffer.from(value))} AS TEXT)`;
}

/** Returns the SQL statement that adds a key's row. It needs no escaping within double quotes in a shell. */
export function insertStatement(row: KeyRow): string {
  const values = new Map<string, KeyRow[keyof KeyRow]>(Object.entries(row));
  const columns = Object.entries(getTableColumns(keys)).map(([field, { name }]) => ({
    name,
    literal: toLiteral(values.get(field) ?? null),
  }));
  const join = (part: "name" | "literal") => columns.map((column) => column[part]).join(", ");
  return `INSERT INTO keys (${join("name")}) VALUES (${join("literal")});`;
}

/** Returns what a key permits, in one line. */
export function describeKey(id: string, { name, scopes, task, profilePrefix, expiresAt }: NewKey): string {
  const permissions = [
    scopes.join(" "),
    task === null ? "all tasks" : `task ${task}`,
    profilePrefix === "" ? "all profiles" : `profiles that start with ${profilePrefix}`,
    expiresAt ? `expires ${expiresAt.toISOString()}` : "never expires",
  ];
  return `Key ${id} (${name}): ${permissions.join("; ")}.`;
}

const HEADINGS = ["id", "name", "scopes", "task", "prefix", "created", "expires", "last used"];

/** Returns keys as a table with headings. */
export function formatKeys(records: readonly KeyRecord[]): string {
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
  return formatColumns(HEADINGS, rows);
}
