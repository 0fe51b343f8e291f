import { SCOPES } from "../../src/auth/access.ts";
import { generateKey, type NewKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import type { Database } from "../../src/storage/database.ts";

/** Makes a key with every scope, unless parts say otherwise. */
export async function makeKey(db: Database, parts: Partial<NewKey> = {}): Promise<string> {
  const newKey = { name: "test", scopes: SCOPES, task: null, profilePrefix: "", expiresAt: null, ...parts };
  const { key, row } = await generateKey(newKey);
  await createKeyStore(db).add(row);
  return key;
}
