import { createHash } from "node:crypto";
import fc from "fast-check";
import { type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { hashTask, MAX_TOKEN_BYTES, readToken, signToken, type TokenProfile } from "../../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../../src/auth/signing-keys.ts";
import { errorWithCode } from "../../support/errors.ts";
import { masksOf, taskOf } from "../../support/rows.ts";

const keyOf = (fill: number) => Buffer.alloc(32, fill).toString("base64");
const keys = parseSigningKeys(`new:${keyOf(1)},old:${keyOf(2)}`);
const now = new Date("2026-11-25T12:00:00Z");
const task = { ...taskOf({ labels: ["a", "ü", '"'] }), generation: 3 };
const profileOf = (seed: number, labelBias: Uint8Array | null = null) => ({
  task: "demo",
  id: "anna@x.org",
  masks: masksOf(seed),
  labelBias,
  generation: 7,
  updatedAt: now,
});
const use = { bundles: [task.bundle], task: "demo", profile: "anna@x.org" };
const options = { carry: "all", ttlSeconds: 600, until: null, now } as const;
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);

describe("a token", () => {
  it("returns what was signed", async () => {
    const bias = fc.option(fc.uint8Array({ minLength: 3, maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 500 }),
        bias,
        fc.constantFrom("all", "profile"),
        async (seed, labelBias, carry) => {
          const { token, expiresAt } = await signToken(keys, task, profileOf(seed, labelBias), { ...options, carry });
          const { name, bundle, labels, maxTokens, head, adapter } = task;
          const expected: TokenProfile = {
            task: "demo",
            profile: "anna@x.org",
            generation: 7,
            parts: { masks: masksOf(seed), labelBias },
            taskHash: await hashTask(task),
            taskParts: carry === "all" ? { name, bundle, labels: [...labels], maxTokens, head, adapter } : null,
          };
          expect(await readToken(token, keys, use, now)).toEqual(expected);
          expect(expiresAt).toEqual(later(600));
        },
      ),
      { numRuns: 20 },
    );
  });

  it("carries the task's adapter, which its hash covers", async () => {
    const adapter = new Uint8Array([1, 2, 3]);
    const adapted = { ...task, adapter };
    const { token } = await signToken(keys, adapted, profileOf(1), options);
    expect(await readToken(token, keys, use, now)).toMatchObject({
      taskHash: await hashTask(adapted),
      taskParts: { adapter },
    });
    const digest = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest();
    const parts = [JSON.stringify([task.labels, task.maxTokens]), new Uint8Array(task.head.buffer), adapter].map(
      digest,
    );
    expect(await hashTask(adapted)).toBe(digest(Buffer.concat(parts)).subarray(0, 16).toString("base64url"));
    expect(await hashTask(task)).toBe(
      digest(Buffer.concat(parts.slice(0, 2)))
        .subarray(0, 16)
        .toString("base64url"),
    );
  });

  it("is rejected if any character is changed", async () => {
    const { token } = await signToken(keys, task, profileOf(1), { ...options, carry: "profile" });
    const other = (character: string) => (character === "A" ? "B" : "A");
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: token.length - 2 }), async (place) => {
        // The last character of a part may have bits that belong to no byte.
        fc.pre(token[place + 1] !== ".");
        const changed = token.slice(0, place) + other(token[place] ?? "") + token.slice(place + 1);
        await expect(readToken(changed, keys, use, now)).rejects.toMatchObject({
          code: expect.stringMatching(/^token_(forged|malformed|unknown_key|other_algorithm)$/),
        });
      }),
      { numRuns: 300 },
    );
  });

  it("is accepted up to a minute before it starts and after it expires", async () => {
    const { token } = await signToken(keys, task, profileOf(1), options);
    const at = (seconds: number) => readToken(token, keys, use, later(seconds));
    await expect(at(-61)).rejects.toThrow(errorWithCode("token_not_yet_valid"));
    await expect(at(-59)).resolves.toMatchObject({ profile: "anna@x.org" });
    await expect(at(659)).resolves.toMatchObject({ profile: "anna@x.org" });
    await expect(at(661)).rejects.toThrow(errorWithCode("token_expired"));
  });

  it("is accepted while its key is configured, whichever key signs now", async () => {
    const { token } = await signToken(keys, task, profileOf(1), options);
    const rotated = parseSigningKeys(`newer:${keyOf(3)},new:${keyOf(1)}`);
    expect(await readToken(token, rotated, use, now)).toMatchObject({ generation: 7 });
    const removed = parseSigningKeys(`newer:${keyOf(3)}`);
    await expect(readToken(token, removed, use, now)).rejects.toThrow(errorWithCode("token_unknown_key"));
    const reused = parseSigningKeys(`new:${keyOf(9)}`);
    await expect(readToken(token, reused, use, now)).rejects.toThrow(errorWithCode("token_forged"));
  });

  it("is rejected for another bundle, task or profile", async () => {
    const { token } = await signToken(keys, task, profileOf(1), options);
    const readFor = (other: object) => readToken(token, keys, { ...use, ...other }, now);
    const [first, second] = ["1".repeat(32), "2".repeat(32)];
    await expect(readFor({ bundles: [first] })).rejects.toThrow(errorWithCode("token_other_bundle"));
    await expect(readFor({ bundles: [first, second] })).rejects.toThrow(`not ${first} or ${second}.`);
    expect(await readFor({ bundles: [first, task.bundle] })).toMatchObject({ task: "demo" });
    await expect(readFor({ task: "dem" })).rejects.toThrow(errorWithCode("token_other_task"));
    await expect(readFor({ profile: "anna" })).rejects.toThrow(errorWithCode("token_other_profile"));
  });
});

describe("a token that another program signed with our key", () => {
  const seconds = now.getTime() / 1000;
  const header = { alg: "HS256", kid: "new", typ: "xpeft-profile+jwt" };
  const claims = {
    aud: `${task.bundle}/demo`,
    sub: "anna@x.org",
    gen: 7,
    iat: seconds,
    nbf: seconds,
    exp: seconds + 600,
    masks: Buffer.from(masksOf(1)).toString("base64"),
    hash: "x",
  };
  const read = async (parts: JWTPayload, others: Partial<JWTHeaderParameters> = {}) => {
    const signer = new SignJWT(parts).setProtectedHeader({ ...header, ...others });
    return await readToken(await signer.sign(Buffer.alloc(32, 1)), keys, use, now);
  };

  it("is accepted if it has our format", async () => {
    expect(await read(claims)).toMatchObject({ profile: "anna@x.org", generation: 7, taskParts: null, taskHash: "x" });
  });

  it("is rejected with another algorithm or type, which the error names", async () => {
    await expect(read(claims, { alg: "HS512" })).rejects.toThrow("signed by HS512, not HS256");
    await expect(read(claims, { alg: "HS512" })).rejects.toThrow(errorWithCode("token_other_algorithm"));
    await expect(read(claims, { typ: "JWT" })).rejects.toThrow("type");
    await expect(read(claims, { typ: "JWT" })).rejects.toThrow(errorWithCode("token_malformed"));
    await expect(read(claims, { kid: "none" })).rejects.toThrow(errorWithCode("token_unknown_key"));
  });

  it.each(Object.keys(claims))("is rejected without %s", async (claim) => {
    const { [claim]: _, ...others } = claims as JWTPayload;
    await expect(read(others)).rejects.toThrow(errorWithCode("token_incomplete"));
    await expect(read(others)).rejects.toThrow(claim);
  });

  it.each([
    { aud: "demo" },
    { gen: 0 },
    { gen: 1.5 },
    { masks: "*" },
    { bias: 3 },
    { task: { labels: [], maxTokens: 32, head: "" } },
    { task: { labels: ["one", "two"], maxTokens: 2, head: "" } },
    { nbf: "now" },
    { exp: "then" },
  ])("is rejected with %j", async (others) => {
    await expect(read({ ...claims, ...others } as JWTPayload)).rejects.toThrow(errorWithCode("token_incomplete"));
  });

  it("is accepted by a request that names no profile", async () => {
    const { token } = await signToken(keys, task, profileOf(1), options);
    expect(await readToken(token, keys, { ...use, profile: null }, now)).toMatchObject({ profile: "anna@x.org" });
  });
});

describe("a token's limits", () => {
  it("include its size, when signed and when read", async () => {
    const large = { ...task, head: new Float32Array(MAX_TOKEN_BYTES / 4) };
    await expect(signToken(keys, large, profileOf(1), options)).rejects.toThrow(errorWithCode("token_too_large"));
    const { token } = await signToken(keys, large, profileOf(1), { ...options, carry: "profile" });
    expect(token.length).toBeLessThan(1500);
    const padded = (length: number) => readToken(token.padEnd(length, "A"), keys, use, now);
    await expect(padded(MAX_TOKEN_BYTES + 1)).rejects.toThrow(errorWithCode("token_too_large"));
    await expect(padded(MAX_TOKEN_BYTES)).rejects.not.toThrow(errorWithCode("token_too_large"));
  });

  it("include its TTL, and the expiry of the key that created it", async () => {
    const endsAt = async (until: Date | null) =>
      (await signToken(keys, task, profileOf(1), { ...options, until })).expiresAt;
    expect(await endsAt(null)).toEqual(later(600));
    expect(await endsAt(later(300))).toEqual(later(300));
    expect(await endsAt(later(900))).toEqual(later(600));
  });
});

describe("hashTask", () => {
  it("changes with everything that affects an answer, and with nothing else", async () => {
    const hashes = await Promise.all(
      [
        task,
        taskOf({ labels: ["a", "ü", "'"] }),
        { ...task, maxTokens: 33 },
        { ...task, head: task.head.map((value, index) => (index === 5 ? value + 1 : value)) },
      ].map(hashTask),
    );
    expect(new Set(hashes).size).toBe(4);
    expect(await hashTask({ ...task, name: "other", bundle: "2".repeat(32) })).toBe(hashes[0]);
  });
});

describe("parseSigningKeys", () => {
  it("signs with the first key, and accepts all of them", () => {
    expect(keys.current).toBe("new");
    expect([...keys.byId.keys()]).toEqual(["new", "old"]);
    expect(keys.byId.get("old")).toEqual(new Uint8Array(32).fill(2));
  });

  it.each([[undefined], [""]])("reports a missing setting: %j", (setting) => {
    expect(() => parseSigningKeys(setting)).toThrow(errorWithCode("tokens_not_set_up"));
  });

  it("accepts blanks around a key", () => {
    expect([...parseSigningKeys(` new:${keyOf(1)} , old:${keyOf(2)}\n`).byId.keys()]).toEqual(["new", "old"]);
  });

  it.each([
    ["a valid first key and a second that is too short", `a:${keyOf(1)},b:${Buffer.alloc(9).toString("base64")}`],
    ["no id", keyOf(1)],
    ["a key that is not base64", "new:secret-secret-secret-secret-secret-secret"],
    ["a key that is too short", `new:${Buffer.alloc(31).toString("base64")}`],
    ["an id twice", `a:${keyOf(1)},a:${keyOf(2)}`],
    ["an invalid id", `a b:${keyOf(1)}`],
    ["an empty last entry", `a:${keyOf(1)},`],
  ])("reports a setting with %s, without quoting it", (_, setting) => {
    expect(() => parseSigningKeys(setting)).toThrow(errorWithCode("invalid_setting"));
    expect(() => parseSigningKeys(setting)).not.toThrow(setting.slice(2, 12));
  });
});
