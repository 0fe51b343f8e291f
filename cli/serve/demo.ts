import { randomBytes } from "node:crypto";
import { generateKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import type { Database } from "../../src/storage/database.ts";
import { seedDemo } from "../registry/seed.ts";

/** The name of the playground's key. */
const PAGE_KEY = "playground of --demo";

/** Makes a key for the playground in place of the earlier one. */
async function makePageKey(db: Database): Promise<string> {
  const store = createKeyStore(db);
  for (const { id, name } of await store.list()) if (name === PAGE_KEY) await store.revoke(id);
  const { key, row } = await generateKey({
    name: PAGE_KEY,
    scopes: ["predict", "list", "learn", "write"],
    task: null,
    profilePrefix: "",
    expiresAt: null,
  });
  await store.add(row);
  return key;
}

/**
 * Writes the demo's tasks into a database.
 *
 * @param bundle the folder of the bundle
 * @returns environment variables of a server that shows the demo: the playground's key, and a secret that signs tokens
 * until it ends
 */
export async function prepareDemo(db: Database, bundle: string): Promise<NodeJS.ProcessEnv> {
  await seedDemo(db, bundle);
  return {
    XPEFT_LOCAL_PAGE_KEY: await makePageKey(db),
    XPEFT_TOKEN_KEYS: process.env.XPEFT_TOKEN_KEYS || `demo:${randomBytes(32).toString("base64")}`,
  };
}
