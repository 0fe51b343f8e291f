import type { Context } from "hono";
import type { Access, Scope } from "../../src/auth/access.ts";
import { looksLikeKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { XpeftError } from "../../src/errors.ts";
import { wantsFresh } from "../http/cache-control.ts";
import type { AppEnv } from "../http/env.ts";
import { RequestError } from "../http/problem-codes.ts";
import { keyDatabase } from "../service/databases.ts";
import { authenticatorOf } from "../service/service.ts";
import { callerAddress, countRequest } from "./rate-limit.ts";

/** Access of callers without a key, in a deploy whose predictions are public. */
const ANYONE: Access = { id: "public", scopes: ["predict"], task: null, profilePrefix: "", expiresAt: null };

/** Access of callers with a profile token. The route checks the token against the profile. */
const BEARER: Access = { id: "token", scopes: ["predict"], task: null, profilePrefix: "", expiresAt: null };

/** Hugging Face's clients send the user's login to any URL. It is for another service, so it is ignored. */
const FOREIGN = /^Bearer +hf_/i;

/** Names the caller, and counts the request against the caller's rate limit. */
async function countCaller(c: Context<AppEnv>, caller: string): Promise<void> {
  c.set("caller", caller);
  await countRequest(c, caller);
}

async function accessByKey(c: Context<AppEnv>, key: string): Promise<Access> {
  const store = createKeyStore(keyDatabase(c.env.platform));
  const authenticator = authenticatorOf(c.env.platform);
  const authenticate = async (beforeUnknownKey: () => Promise<void>): Promise<Access> => {
    const { access, wasRead } = await authenticator.authenticate(key, store, {
      fresh: wantsFresh(c),
      beforeUnknownKey,
    });
    if (wasRead) c.executionCtx.waitUntil(store.touch(access.id));
    return access;
  };
  // Guesses are counted by address, apart from valid keys: callers may share an address.
  const access = await authenticate(() => countRequest(c, `doubted ${callerAddress(c)}`));
  // A key that was valid once is not a guess.
  c.set("stillAllowed", async () => void (await authenticate(async () => {})));
  await countCaller(c, `key:${access.id}`);
  return access;
}

/**
 * Returns what a request's credential allows. A profile token is left in `token` for the route to check.
 *
 * @param scope the scope that the route needs
 * @param tokens whether the route accepts profile tokens
 * @throws RequestError `key_invalid` or `rate_limited`
 * @throws XpeftError `key_missing`, `key_invalid`, `key_expired` or `database_unavailable`
 */
export async function readCredential(c: Context<AppEnv>, scope: Scope, tokens: boolean): Promise<Access> {
  c.set("token", null);
  c.set("stillAllowed", async () => {});
  const header = c.req.header("authorization");
  if (header === undefined || (tokens && FOREIGN.test(header))) {
    const { publicPredict } = c.env.platform.settings();
    if (scope !== "predict" || !publicPredict) {
      throw new XpeftError("key_missing", `This needs a key with the scope "${scope}".`);
    }
    await countCaller(c, callerAddress(c));
    return ANYONE;
  }
  const [, credential] = /^Bearer +(\S+)$/i.exec(header) ?? [];
  if (credential !== undefined && looksLikeKey(credential)) return await accessByKey(c, credential);
  if (credential === undefined || !tokens) {
    const isToken = credential?.split(".").length === 3;
    throw new RequestError(
      "key_invalid",
      isToken ? "This is a profile token, and the route needs a key." : "This is not a key.",
      "Send a key in the header: Authorization: Bearer xpk_…",
    );
  }
  c.set("token", credential);
  await countCaller(c, callerAddress(c));
  return BEARER;
}
