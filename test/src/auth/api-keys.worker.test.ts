import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import {
  createAuthenticator,
  createKeyStore,
  generateKey,
  type KeyStore,
  type NewKey,
} from "../../../src/auth/api-keys.ts";
import { named } from "../../support/errors.ts";

const store = createKeyStore(drizzle(env.DB));

async function make(parts: Partial<NewKey> = {}) {
  const { key, row } = await generateKey({
    name: "test",
    scopes: ["predict"],
    task: "news",
    profilePrefix: "a-",
    expiresAt: null,
    ...parts,
  });
  await store.add(row);
  return { key, id: row.id };
}

/** An authenticator, what it was asked to slow down, and how often it read. */
function authenticating(ttlSeconds = 30) {
  const authenticator = createAuthenticator({ ttlSeconds });
  const seen = { doubted: 0, read: 0 };
  const counted: KeyStore = {
    ...store,
    find(id) {
      seen.read++;
      return store.find(id);
    },
  };
  const beforeUnknownKey = async () => void seen.doubted++;
  const ask = (key: string, fresh = false) => authenticator.authenticate(key, counted, { fresh, beforeUnknownKey });
  return { ask, seen };
}

describe("keys", () => {
  it("are drawn anew each time, and kept as hashes", async () => {
    const [one, other] = [await make(), await make()];
    expect(one.key).toMatch(/^xpk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(one.key).not.toBe(other.key);
    expect(await store.find(one.id)).toMatchObject({ hash: expect.any(Uint8Array), scopes: '["predict"]' });
    expect(JSON.stringify(await store.list())).not.toMatch(/hash/);
  });

  it("are listed, used and revoked", async () => {
    const { id } = await make({ expiresAt: new Date("2030-01-01") });
    expect(await store.list()).toMatchObject([
      { id, name: "test", scopes: ["predict"], task: "news", profilePrefix: "a-", lastUsedAt: null },
    ]);
    await store.touch(id);
    const [used] = await store.list();
    expect(used?.lastUsedAt?.getTime()).toBeGreaterThan(Date.now() - 10_000);
    expect(await store.revoke(id)).toBe(true);
    expect(await store.revoke(id)).toBe(false);
    expect(await store.find(id)).toBeNull();
  });

  it("that are damaged are named", async () => {
    const { key } = await make();
    await env.DB.exec("UPDATE keys SET scopes = 'all'");
    await expect(store.list()).rejects.toThrow(named("invalid_row"));
    await expect(authenticating().ask(key)).rejects.toThrow(named("invalid_row"));
  });
});

describe("createAuthenticator", () => {
  it("reads a key once in its time to live, and every time it must be fresh", async () => {
    const { key, id } = await make();
    const { ask, seen } = authenticating();
    expect(await ask(key)).toMatchObject({ wasRead: true, access: { id, task: "news", profilePrefix: "a-" } });
    expect(await ask(key)).toMatchObject({ wasRead: false, access: { id } });
    expect(seen).toEqual({ doubted: 1, read: 1 });
    await ask(key, true);
    expect(seen).toEqual({ doubted: 2, read: 2 });
  });

  it("slows down whoever guesses, with or without a key that is kept", async () => {
    const { key } = await make();
    const { ask, seen } = authenticating();
    await ask(key);
    const wrong = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
    for (const guess of [wrong, "xpk_short", `xpk_${"0".repeat(16)}_${"A".repeat(43)}`]) {
      await expect(ask(guess)).rejects.toThrow(named("key_invalid"));
    }
    expect(seen).toEqual({ doubted: 4, read: 2 });
  });

  it("refuses a key whose time is over though it is kept, and one that is gone once it was read to be", async () => {
    const { key } = await make({ expiresAt: new Date(Date.now() + 300) });
    const { ask } = authenticating();
    await ask(key);
    await new Promise((resolve) => setTimeout(resolve, 350));
    await expect(ask(key)).rejects.toThrow(named("key_expired"));

    const { key: other, id } = await make();
    await ask(other);
    await store.revoke(id);
    expect(await ask(other)).toMatchObject({ wasRead: false });
    await expect(ask(other, true)).rejects.toThrow(named("key_invalid"));
    await expect(ask(other)).rejects.toThrow(named("key_invalid"));
  });
});
