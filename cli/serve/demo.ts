import { randomBytes } from "node:crypto";
import { generateKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import type { Database } from "../../src/storage/database.ts";
import { demoFolders, seedTasks } from "../registry/seed.ts";

/** The name of the playground's key. */
const PAGE_KEY = "playground of --demo";

/** Deletes the playground's key of an earlier start. */
export async function dropPageKey(db: Database): Promise<void> {
  const store = createKeyStore(db);
  for (const { id, name } of await store.list()) if (name === PAGE_KEY) await store.revoke(id);
}

async function makePageKey(db: Database): Promise<string> {
  const { key, row } = await generateKey({
    name: PAGE_KEY,
    scopes: ["predict", "list", "learn", "write"],
    task: null,
    profilePrefix: "",
    expiresAt: null,
  });
  await createKeyStore(db).add(row);
  return key;
}

/**
 * Writes the demo's tasks into a database.
 *
 * @param bundle the folder of the bundle
 * @param isLocal whether only this machine reaches the server; the page then gets a key
 * @returns environment variables of a server that shows the demo: the playground's key, and a secret that signs tokens
 * until it ends
 */
export async function prepareDemo(db: Database, bundle: string, isLocal: boolean): Promise<NodeJS.ProcessEnv> {
  // Standard output has the log.
  await seedTasks(db, await demoFolders(), bundle, console.error);
  return {
    ...(isLocal && { XPEFT_LOCAL_PAGE_KEY: await makePageKey(db) }),
    XPEFT_TOKEN_KEYS: process.env.XPEFT_TOKEN_KEYS || `demo:${randomBytes(32).toString("base64")}`,
  };
}
