import { LRUCache } from "lru-cache";
import { XpeftError } from "../errors.ts";
import type { Access } from "./access.ts";
import { hashKey, type KeyRow, keyId } from "./api-keys.ts";
import { type KeyStore, keyFromRow } from "./key-store.ts";

/** Authenticates callers by their keys. */
export interface Authenticator {
  /**
   * Returns what a key allows, and whether its row was just read.
   *
   * @param store reads the key if it is not cached
   * @param options.fresh whether to skip the cache
   * @param options.beforeUnknownKey is called before the database is queried and before a key is rejected, to slow down
   * guessing
   * @throws XpeftError `key_invalid`, `key_expired`, `database_unavailable`, and the errors of `beforeUnknownKey`
   */
  authenticate(
    key: string,
    store: KeyStore,
    options: { fresh: boolean; beforeUnknownKey: () => Promise<void> },
  ): Promise<{ access: Access; wasRead: boolean }>;
}

/** Compares two hashes in constant time. */
function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

/** A revoked key is rejected after a minute, whatever the TTL of rows is. */
const MAX_TTL_SECONDS = 60;

/**
 * Creates an authenticator with a cache.
 *
 * @param options.ttlSeconds how long a revoked key may still be accepted
 * @param options.now returns the time in milliseconds since 1970, by which keys expire
 */
export function createAuthenticator(options: { ttlSeconds: number; now: () => number }): Authenticator {
  const ttlSeconds = Math.min(options.ttlSeconds, MAX_TTL_SECONDS);
  const cache = new LRUCache<string, KeyRow>({ max: 1000, ttl: Math.max(1, ttlSeconds * 1000), ttlResolution: 0 });

  return {
    async authenticate(key, store, { fresh, beforeUnknownKey }) {
      const id = keyId(key);
      const hash = await hashKey(key);
      const cached = fresh || ttlSeconds === 0 ? undefined : cache.get(id);
      if (!cached || !isSameHash(hash, cached.hash)) await beforeUnknownKey();
      // The TTL starts before the query: the row may change while the answer travels.
      const start = performance.now();
      const row = cached ?? (id === "" ? null : await store.find(id));
      if (!row) cache.delete(id);
      if (!row || !isSameHash(hash, row.hash)) throw new XpeftError("key_invalid", "The key is unknown.");
      if (row.expiresAt !== null && row.expiresAt <= options.now()) {
        throw new XpeftError("key_expired", "The key has expired.");
      }
      if (!cached) cache.set(id, row, { start });
      return { access: keyFromRow(row), wasRead: !cached };
    },
  };
}
