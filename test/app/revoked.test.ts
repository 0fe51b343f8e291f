import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { signToken } from "../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../src/auth/signing-keys.ts";
import { setBroken } from "../faults/faults.ts";
import { eventsOf } from "../support/events.ts";
import { examplesOf } from "../support/examples.ts";
import { profilesFile, profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker, TOKEN_KEYS } from "../support/worker.ts";

let worker: RunningWorker;
let task: ReturnType<typeof taskFor>;

beforeAll(async () => {
  task = taskFor(await readBundle("bundles/minilm-l6-v2"));
  const vars = { PUBLIC_PREDICT: "false", CACHE_TTL_SECONDS: "0" };
  // This entry's clock can be set.
  worker = await startWorker({ main: "test/faults/worker.ts", vars });
  await worker.push(task, profilesOf(1));
  await worker.predict({ task: "demo", profile: "demo-000", inputs: "so that the encoder is there" });
});
afterAll(() => worker.close());

/** Starts a stream and waits for its first answer. @returns a function that sends the rest and returns its answers */
async function begin(path: string, credential: string, line: string): Promise<(rest: string) => Promise<unknown[]>> {
  const upload = request(new URL(path, worker.url).href, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${credential}` },
  });
  upload.on("error", () => {});
  upload.write(line);
  const [response] = (await once(upload, "response")) as [IncomingMessage];
  const [first] = await once(response, "data");
  expect(JSON.parse(String(first))).toMatchObject({ line: 1 });
  expect(String(first)).not.toContain("error");
  return async (rest) => {
    upload.end(rest);
    const lines = Buffer.concat(await response.toArray()).toString();
    return lines
      .trimEnd()
      .split("\n")
      .map((one: string) => JSON.parse(one));
  };
}

const revoke = (key: string) => worker.db.prepare("DELETE FROM keys WHERE id = ?").bind(key.split("_")[1]).run();
const stored = () => worker.db.prepare("SELECT count(*) AS n FROM profiles").first<number>("n");
const text = `${JSON.stringify({ profile: "demo-000", text: "a text" })}\n`;

describe("a request in progress whose key is revoked", () => {
  it("writes no more lines of an import", async () => {
    const key = await worker.makeKey();
    const [one, two] = profilesOf(3).slice(1);
    if (!one || !two) throw new Error("there are three profiles");
    const go = await begin("/v1/tasks/demo/import", key, profilesFile("demo", [one]));
    expect(await stored()).toBe(2);
    await revoke(key);
    expect(await go(profilesFile("demo", [two]))).toMatchObject([{ error: { code: "key_invalid" } }]);
    expect(await stored()).toBe(2);
  });

  it("answers no more texts of a stream", async () => {
    const key = await worker.makeKey();
    const go = await begin("/v1/predict/stream?task=demo", key, text);
    await revoke(key);
    expect(await go(text)).toMatchObject([{ error: { code: "key_invalid" } }]);
  });

  it("cancels a learning, which writes nothing", async () => {
    const key = await worker.makeKey();
    const response = await worker.request("POST", "/v1/profiles/demo/learnt/learn", {
      key,
      body: { start: "default", epochs: 20, examples: examplesOf(10) },
    });
    const names: string[] = [];
    for await (const { event, data } of eventsOf(response)) {
      names.push(event === "problem" ? String(data.code) : event);
      if (names.length === 1) await revoke(key);
    }
    expect(names.at(-1)).toBe("key_invalid");
    expect((await worker.get("/v1/profiles/demo/learnt")).status).toBe(404);
  });
});

it("answers no more texts of a stream after the key or token expires", async () => {
  const key = await worker.makeKey({ expiresAt: new Date("2100-01-01") });
  const byKey = await begin("/v1/predict/stream?task=demo", key, text);
  await worker.db.exec("UPDATE keys SET expires_at = 1 WHERE expires_at IS NOT NULL");
  expect(await byKey(text)).toMatchObject([{ error: { code: "key_expired" } }]);

  const profile = { task: "demo", id: "demo-000", masks: task.masks, labelBias: null, generation: 1 };
  const now = new Date();
  const ttlSeconds = 3600;
  const { token } = await signToken(
    parseSigningKeys(TOKEN_KEYS),
    { ...task, generation: 1 },
    { ...profile, updatedAt: now },
    { carry: "all", ttlSeconds, until: null, now },
  );
  const byToken = await begin("/v1/predict/stream?task=demo", token, text);
  // A token is accepted for a minute after it expires.
  await setBroken(worker, { clockMs: 1000 * (ttlSeconds + 61) });
  expect(await byToken(text)).toMatchObject([{ error: { code: "token_expired" } }]);
});
