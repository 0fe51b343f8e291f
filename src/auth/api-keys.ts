import { base64url } from "jose";
import type { keys } from "../../schema/tables.ts";
import { toHex } from "../lib/hex.ts";
import { sha256 } from "../lib/sha256.ts";
import type { Access } from "./access.ts";

/** A key without its secret. */
export interface KeyRecord extends Access {
  readonly name: string;
  readonly createdAt: Date;
  /** Accurate to about two minutes; null if the key was never used. */
  readonly lastUsedAt: Date | null;
}

/** A key to create. */
export type NewKey = Pick<KeyRecord, "name" | "scopes" | "task" | "profilePrefix" | "expiresAt">;

/** A key as it is stored. */
export type KeyRow = typeof keys.$inferSelect;

/** The form of a key: its public id, then its secret. */
const KEY = /^xpk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

/** Returns whether a caller's credential is meant to be a key. */
export function looksLikeKey(credential: string): boolean {
  return credential.startsWith("xpk_");
}

/** Returns the public id of a key; empty if the text does not have the form of a key. */
export function keyId(key: string): string {
  return KEY.exec(key)?.[1] ?? "";
}

/** Returns the hash by which a key is stored. */
export function hashKey(key: string): Promise<Uint8Array> {
  return sha256(new TextEncoder().encode(key));
}

/** Generates a key. @returns the key, which is shown once and not stored, and the row that identifies it */
export async function generateKey({ scopes, expiresAt, ...rest }: NewKey): Promise<{ key: string; row: KeyRow }> {
  const id = toHex(randomBytes(8));
  const key = `xpk_${id}_${base64url.encode(randomBytes(32))}`;
  const row = {
    ...rest,
    id,
    hash: await hashKey(key),
    scopes: JSON.stringify(scopes),
    createdAt: Date.now(),
    expiresAt: expiresAt?.getTime() ?? null,
    lastUsedAt: null,
  };
  return { key, row };
}
