import { and, asc, eq, isNull, lt, or } from "drizzle-orm";
import * as z from "zod";
import { keys } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import { type Database, withDatabaseErrors } from "../storage/database.ts";
import { SCOPES, type Scope } from "./access.ts";
import type { KeyRecord, KeyRow } from "./api-keys.ts";

/** How far `lastUsedAt` may lag, so that not every request is a write. */
const LAST_USED_STEP_MS = 60_000;

const scopesColumn = z.array(z.enum(SCOPES));

/** The keys of a database. Every method throws `database_unavailable` if the database fails. */
export interface KeyStore {
  add(row: KeyRow): Promise<void>;
  list(): Promise<KeyRecord[]>;
  /** Deletes a key. @returns whether it existed */
  revoke(id: string): Promise<boolean>;
  find(id: string): Promise<KeyRow | null>;
  /** Records that a key was used now. */
  touch(id: string): Promise<void>;
}

function scopesFromColumn(id: string, column: string): Scope[] {
  try {
    return scopesColumn.parse(JSON.parse(column));
  } catch (cause) {
    throw new XpeftError("invalid_row", `The row of key ${id} is damaged.`, { reason: "key", cause });
  }
}

/** Returns a key without its secret. @throws XpeftError `invalid_row` if the scopes cannot be read */
export function keyFromRow({ hash: _hash, scopes, createdAt, expiresAt, lastUsedAt, ...row }: KeyRow): KeyRecord {
  return {
    ...row,
    scopes: scopesFromColumn(row.id, scopes),
    createdAt: new Date(createdAt),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt),
  };
}

/** Creates the store of a database whose migrations are applied. */
export function createKeyStore(db: Database): KeyStore {
  return {
    add: (row) => withDatabaseErrors(async () => void (await db.insert(keys).values(row))),
    async list() {
      const rows = await withDatabaseErrors(() => db.select().from(keys).orderBy(asc(keys.createdAt), asc(keys.id)));
      return rows.map(keyFromRow);
    },
    async revoke(id) {
      const deleted = await withDatabaseErrors(() => db.delete(keys).where(eq(keys.id, id)).returning({ id: keys.id }));
      return deleted.length > 0;
    },
    async find(id) {
      const [row] = await withDatabaseErrors(() => db.select().from(keys).where(eq(keys.id, id)));
      return row ?? null;
    },
    async touch(id) {
      const now = Date.now();
      const isStale = or(isNull(keys.lastUsedAt), lt(keys.lastUsedAt, now - LAST_USED_STEP_MS));
      await withDatabaseErrors(() =>
        db
          .update(keys)
          .set({ lastUsedAt: now })
          .where(and(eq(keys.id, id), isStale)),
      );
    },
  };
}
