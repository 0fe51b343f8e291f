import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it, vi } from "vitest";
import { generateKey, type NewKey } from "../../../src/auth/api-keys.ts";
import { createAuthenticator } from "../../../src/auth/authenticator.ts";
import { createKeyStore, type KeyStore } from "../../../src/auth/key-store.ts";
import { errorWithCode } from "../../support/errors.ts";

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

/** Returns an authenticator, and counters of its rate limit checks and its database reads. */
function countingAuthenticator(ttlSeconds = 30) {
  const authenticator = createAuthenticator({ ttlSeconds, now: () => Date.now() });
  const counts = { limited: 0, read: 0 };
  const counting: KeyStore = {
    ...store,
    find(id) {
      counts.read++;
      return store.find(id);
    },
  };
  const beforeUnknownKey = async () => void counts.limited++;
  const authenticate = (key: string, fresh = false) =>
    authenticator.authenticate(key, counting, { fresh, beforeUnknownKey });
  return { authenticate, counts };
}

describe("keys", () => {
  it("are random, and stored as hashes", async () => {
    const [first, second] = [await make(), await make()];
    expect(first.key).toMatch(/^xpk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(first.key).not.toBe(second.key);
    expect(await store.find(first.id)).toMatchObject({ hash: expect.any(Uint8Array), scopes: '["predict"]' });
    expect(JSON.stringify(await store.list())).not.toMatch(/hash/);
  });

  it("are listed, used and revoked", async () => {
    const { id } = await make({ expiresAt: new Date("2030-01-01") });
    expect(await store.list()).toMatchObject([
      { id, name: "test", scopes: ["predict"], task: "news", profilePrefix: "a-", lastUsedAt: null },
    ]);
    const start = Date.now();
    await store.touch(id);
    const [used] = await store.list();
    expect(used?.lastUsedAt?.getTime()).toBeGreaterThanOrEqual(start);
    expect(await store.revoke(id)).toBe(true);
    expect(await store.revoke(id)).toBe(false);
    expect(await store.find(id)).toBeNull();
  });

  it("with a damaged row are reported", async () => {
    const { key } = await make();
    await env.DB.exec("UPDATE keys SET scopes = 'all'");
    await expect(store.list()).rejects.toThrow(errorWithCode("invalid_row"));
    await expect(countingAuthenticator().authenticate(key)).rejects.toThrow(errorWithCode("invalid_row"));
  });
});

describe("createAuthenticator", () => {
  it("reads a key once per TTL, and on every request that needs a fresh answer", async () => {
    const { key, id } = await make();
    const { authenticate, counts } = countingAuthenticator();
    expect(await authenticate(key)).toMatchObject({ wasRead: true, access: { id, task: "news", profilePrefix: "a-" } });
    expect(await authenticate(key)).toMatchObject({ wasRead: false, access: { id } });
    expect(counts).toEqual({ limited: 1, read: 1 });
    await authenticate(key, true);
    expect(counts).toEqual({ limited: 2, read: 2 });
  });

  it("rate limits guesses, whether or not the key is cached", async () => {
    const { key } = await make();
    const { authenticate, counts } = countingAuthenticator();
    await authenticate(key);
    const wrong = key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");
    for (const guess of [wrong, "xpk_short", `xpk_${"0".repeat(16)}_${"A".repeat(43)}`]) {
      await expect(authenticate(guess)).rejects.toThrow(errorWithCode("key_invalid"));
    }
    expect(counts).toEqual({ limited: 4, read: 2 });
  });

  it("rejects a cached key that has expired, and a revoked key after one fresh read", async () => {
    const expiresAt = new Date("2100-01-01");
    const { key } = await make({ expiresAt });
    const { authenticate } = countingAuthenticator();
    await authenticate(key);
    const clock = vi.spyOn(Date, "now").mockReturnValue(expiresAt.getTime());
    const expired = authenticate(key).finally(() => clock.mockRestore());
    await expect(expired).rejects.toThrow(errorWithCode("key_expired"));

    const { key: other, id } = await make();
    await authenticate(other);
    await store.revoke(id);
    expect(await authenticate(other)).toMatchObject({ wasRead: false });
    await expect(authenticate(other, true)).rejects.toThrow(errorWithCode("key_invalid"));
    await expect(authenticate(other)).rejects.toThrow(errorWithCode("key_invalid"));
  });
});
