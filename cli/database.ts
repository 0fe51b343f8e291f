import { join } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { getPlatformProxy } from "wrangler";
import type { Bindings } from "../functions/env.ts";
import { createStore, type ProfileStore } from "../src/store.ts";

/**
 * Runs work on the local database, the one that `wrangler dev` serves.
 *
 * @param persistTo the folder given to `wrangler dev --persist-to`, if it was given one
 */
export async function withStore<T>(
  persistTo: string | undefined,
  work: (store: ProfileStore) => Promise<T>,
): Promise<T> {
  const proxy = await getPlatformProxy<Pick<Bindings, "DB">>({
    remoteBindings: false,
    persist: persistTo === undefined ? true : { path: join(persistTo, "v3") },
  });
  try {
    return await work(createStore(drizzle(proxy.env.DB)));
  } finally {
    await proxy.dispose();
  }
}
