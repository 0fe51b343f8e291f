import { and, asc, eq, isNull, lt, or } from "drizzle-orm";
import { base64url } from "jose";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { keys } from "../../schema/tables.ts";
import { XpeftError } from "../errors.ts";
import type { Database } from "../storage/database.ts";
import { withDatabaseErrors } from "../storage/database.ts";
import { type Access, SCOPES, type Scope } from "./access.ts";

/** A key without its secret. */
export interface KeyRecord extends Access {
  readonly name: string;
  readonly createdAt: Date;
  /** To about two minutes; null for not yet. */
  readonly lastUsedAt: Date | null;
}

/** A key to make. */
export type NewKey = Pick<KeyRecord, "name" | "scopes" | "task" | "profilePrefix" | "expiresAt">;

type KeyRow = typeof keys.$inferSelect;

/** What a key looks like: its public id, then its secret. */
const KEY = /^xpk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/** How far `lastUsedAt` may lag, so that not every request is a write. */
const LAST_USED_STEP_MS = 60_000;

const scopesColumn = z.array(z.enum(SCOPES));

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

async function hashOf(key: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
}

/** Compares two hashes in a time that does not tell how far they agree. */
function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

/** Draws a key. @returns the key, which is shown once and kept nowhere, and the row that knows it again */
export async function generateKey({ scopes, expiresAt, ...rest }: NewKey): Promise<{ key: string; row: KeyRow }> {
  const id = Array.from(random(8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const key = `xpk_${id}_${base64url.encode(random(32))}`;
  const row = {
    ...rest,
    id,
    hash: await hashOf(key),
    scopes: JSON.stringify(scopes),
    createdAt: Date.now(),
    expiresAt: expiresAt?.getTime() ?? null,
    lastUsedAt: null,
  };
  return { key, row };
}

/** The keys of a database. Every method throws `database_unavailable` if the database fails. */
export interface KeyStore {
  add(row: KeyRow): Promise<void>;
  list(): Promise<KeyRecord[]>;
  /** @returns whether there was such a key */
  revoke(id: string): Promise<boolean>;
  find(id: string): Promise<KeyRow | null>;
  /** Notes that a key was used just now. */
  touch(id: string): Promise<void>;
}

function scopesFromColumn(id: string, column: string): Scope[] {
  try {
    return scopesColumn.parse(JSON.parse(column));
  } catch (cause) {
    throw new XpeftError("invalid_row", `The row of key ${id} is damaged.`, { reason: "key", cause });
  }
}

function recordOf({ hash: _hash, scopes, createdAt, expiresAt, lastUsedAt, ...row }: KeyRow): KeyRecord {
  return {
    ...row,
    scopes: scopesFromColumn(row.id, scopes),
    createdAt: new Date(createdAt),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt),
  };
}

/** The keys over a database whose migrations are applied. */
export function createKeyStore(db: Database): KeyStore {
  return {
    add: (row) => withDatabaseErrors(async () => void (await db.insert(keys).values(row))),
    async list() {
      return (await withDatabaseErrors(() => db.select().from(keys).orderBy(asc(keys.createdAt), asc(keys.id)))).map(
        recordOf,
      );
    },
    async revoke(id) {
      return (
        (await withDatabaseErrors(() => db.delete(keys).where(eq(keys.id, id)).returning({ id: keys.id }))).length > 0
      );
    },
    async find(id) {
      const [row] = await withDatabaseErrors(() => db.select().from(keys).where(eq(keys.id, id)));
      return row ?? null;
    },
    async touch(id) {
      const now = Date.now();
      const stale = or(isNull(keys.lastUsedAt), lt(keys.lastUsedAt, now - LAST_USED_STEP_MS));
      await withDatabaseErrors(() =>
        db
          .update(keys)
          .set({ lastUsedAt: now })
          .where(and(eq(keys.id, id), stale)),
      );
    },
  };
}

/** Knows callers by their keys. */
export interface Authenticator {
  /**
   * @param store reads the key where it is not kept, or must be read anew
   * @param beforeUnknownKey called before the database is asked and before a key is refused: guessing can so be slowed down
   * @returns what the key allows, and whether it was just read
   * @throws XpeftError `key_invalid`, `key_expired`, `database_unavailable`, and what `beforeUnknownKey` throws
   */
  authenticate(
    key: string,
    store: KeyStore,
    options: { fresh: boolean; beforeUnknownKey: () => Promise<void> },
  ): Promise<{ access: Access; wasRead: boolean }>;
}

/** Whether a caller's credential is meant as a key. */
export function looksLikeKey(credential: string): boolean {
  return credential.startsWith("xpk_");
}

function invalidKey(): XpeftError {
  return new XpeftError("key_invalid", "The key is unknown.");
}

/** However long rows may be kept, a revoked key is refused after a minute. */
const MAX_TTL_SECONDS = 60;

/** Makes an authenticator that keeps keys it has read. @param ttlSeconds how long a revoked key may still be taken */
export function createAuthenticator({ ttlSeconds: wanted }: { ttlSeconds: number }): Authenticator {
  const ttlSeconds = Math.min(wanted, MAX_TTL_SECONDS);
  const kept = new LRUCache<string, KeyRow>({ max: 1000, ttl: Math.max(1, ttlSeconds * 1000), ttlResolution: 0 });

  return {
    async authenticate(key, store, { fresh, beforeUnknownKey }) {
      const id = KEY.exec(key)?.[1] ?? "";
      const hash = await hashOf(key);
      const keptRow = fresh || ttlSeconds === 0 ? undefined : kept.get(id);
      if (!keptRow || !sameHash(hash, keptRow.hash)) await beforeUnknownKey();
      // Of an answer that comes late it is not known until when it was true.
      const start = performance.now();
      const row = keptRow ?? (id === "" ? null : await store.find(id));
      if (!row) kept.delete(id);
      if (!row || !sameHash(hash, row.hash)) throw invalidKey();
      if (row.expiresAt !== null && row.expiresAt <= Date.now()) {
        throw new XpeftError("key_expired", "The key has expired.");
      }
      if (!keptRow) kept.set(id, row, { start });
      return { access: recordOf(row), wasRead: !keptRow };
    },
  };
}
