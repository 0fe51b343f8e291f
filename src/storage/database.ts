import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import { XpeftError } from "../errors.ts";

/** An asynchronous SQLite database of Drizzle that runs a batch as one transaction. */
export type Database = BaseSQLiteDatabase<"async", unknown> & {
  batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(batch: T): Promise<BatchResponse<T>>;
};

/** SQLite's codes of failures with a hint of their own, as libSQL names them and D1's messages quote them. */
const CAUSES = {
  SQLITE_BUSY: "locked",
  SQLITE_FULL: "full",
  SQLITE_CORRUPT: "damaged",
  SQLITE_NOTADB: "damaged",
  SQLITE_READONLY: "readonly",
} as const;

const MESSAGES = {
  query: "The database failed on a query.",
  locked: "Another program holds the database's lock.",
  full: "The database has no space left.",
  damaged: "The database's file is damaged.",
  readonly: "The database cannot be written.",
} as const;

/** Returns why a query failed; `query` where nothing is known. */
export function databaseFailure(error: unknown): keyof typeof MESSAGES {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const text = "code" in cause ? String(cause.code) : cause.message;
    for (const [code, reason] of Object.entries(CAUSES)) if (text.includes(code)) return reason;
  }
  return "query";
}

/** Runs database work; errors become this project's. @throws XpeftError `database_unavailable` */
export async function withDatabaseErrors<T>(work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof XpeftError) throw cause;
    const reason = databaseFailure(cause);
    throw new XpeftError("database_unavailable", MESSAGES[reason], { reason, cause });
  }
}
