import { decodeJwt, decodeProtectedHeader, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import { MAX_TOKEN_BYTES } from "../../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../../src/auth/signing-keys.ts";
import { taskFile } from "../../support/rows.ts";
import { type RunningWorker, TOKEN_KEYS } from "../../support/worker.ts";
import { type Fixture, type Provocation, type Provocations, REQUEST, startOther, writeTask } from "./fixture.ts";

const KEYS = parseSigningKeys(TOKEN_KEYS);
const HOUR = 60 * 60;

const now = () => Math.floor(Date.now() / 1000);

/** Requests a token without the task's parts. */
async function tokenOf(worker: RunningWorker, task: string): Promise<string> {
  const response = await worker.request("POST", `/v1/profiles/${task}/demo-000/token`, { body: {} });
  return (await response.json<{ token: string }>()).token;
}

/** How a token differs from the Worker's. */
interface Change {
  /** Undefined removes a claim. */
  readonly claims?: JWTPayload;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: Uint8Array;
}

/** Signs a token again with one change. */
async function changed(token: string, { claims, header, key }: Change): Promise<string> {
  const { alg = "", ...rest } = decodeProtectedHeader(token);
  return await new SignJWT({ ...decodeJwt(token), ...claims })
    .setProtectedHeader({ ...rest, alg, ...header })
    .sign(key ?? KEYS.byId.get(KEYS.current) ?? new Uint8Array());
}

/** Predicts with a valid token that has one change. */
export function predictWith(change: Change): Provocation {
  return async ({ worker }: Fixture) =>
    worker.predict(REQUEST, { key: await changed(await tokenOf(worker, "demo"), change) });
}

/** Profile tokens that are rejected. */
export const tokenProvocations = {
  token_malformed: ({ worker }) => worker.predict(REQUEST, { key: "no.token" }),
  token_too_large: ({ worker }) => worker.predict(REQUEST, { key: "a".repeat(MAX_TOKEN_BYTES + 1) }),
  token_unknown_key: predictWith({ header: { kid: "gone" } }),
  token_other_algorithm: predictWith({ header: { alg: "HS512" }, key: new Uint8Array(64) }),
  token_forged: predictWith({ key: new Uint8Array(32) }),
  token_expired: predictWith({ claims: { exp: now() - HOUR } }),
  token_not_yet_valid: predictWith({ claims: { nbf: now() + HOUR } }),
  token_incomplete: predictWith({ claims: { masks: undefined } }),
  token_other_bundle: predictWith({ claims: { aud: `${"1".repeat(32)}/demo` } }),
  token_other_task: async ({ worker, bundle }) =>
    worker.predict(REQUEST, {
      key: await changed(await tokenOf(worker, "demo"), { claims: { aud: `${bundle.id}/other` } }),
    }),
  token_other_profile: predictWith({ claims: { sub: "demo-001" } }),

  async token_stale(fixture) {
    const { worker } = fixture;
    const task = await writeTask(fixture, "retrained");
    const token = await tokenOf(worker, task.name);
    const other = taskFile({ ...task, head: task.head.map((weight) => -weight) });
    await worker.request("PUT", `/v1/tasks/${task.name}?profiles=delete`, { body: other });
    return await worker.predict({ ...REQUEST, task: task.name }, { key: token });
  },

  async tokens_not_set_up() {
    const worker = await startOther({ vars: { TOKEN_KEYS: "" } });
    return await worker.predict(REQUEST, { key: "some.profile.token" });
  },
} satisfies Provocations;
