import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import { XpeftError } from "../errors.ts";

/** An asynchronous SQLite database of Drizzle that runs a batch as one transaction. */
export type Database = BaseSQLiteDatabase<"async", unknown> & {
  batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(batch: T): Promise<BatchResponse<T>>;
};

/** Runs database work; errors become this project's. @throws XpeftError `database_unavailable` */
export async function withDatabaseErrors<T>(work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof XpeftError) throw cause;
    throw new XpeftError("database_unavailable", "The database failed on a query.", { reason: "query", cause });
  }
}
