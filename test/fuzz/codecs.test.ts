import { createHmac } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { hintFor } from "../../app/http/hints.ts";
import { HINTS } from "../../functions/platform/hints.ts";
import { DEFAULT_BUNDLE, readBundle, readFolder } from "../../node/files.ts";
import { readToken, signToken } from "../../src/auth/profile-token.ts";
import { parseSigningKeys } from "../../src/auth/signing-keys.ts";
import { parseManifest } from "../../src/bundle/manifest.ts";
import { XpeftError } from "../../src/errors.ts";
import { readLineGroups } from "../../src/lib/ndjson.ts";
import {
  formatProfile,
  parseImportLine,
  parseProfile,
  parseTask,
  taskFileFields,
} from "../../src/profiles/file-format.ts";
import { packMasks, unpackMasks } from "../../src/profiles/masks.ts";
import { packProfileHead, readProfileHead } from "../../src/profiles/profile-head.ts";
import { profileTaskOf } from "../../src/profiles/profile-task.ts";
import { readTaskAdapter } from "../../src/profiles/task-adapter.ts";
import { choicesOf, profileHeads, shapes } from "../support/arbitraries.ts";
import { hostileBytes, hostileJson, hostileText } from "../support/hostile.ts";
import { isLongForm } from "../support/long-form.ts";
import { masksOf, packAdapter, packPooled, taskFor } from "../support/rows.ts";

/** The total number of cases. */
const CASES = isLongForm ? 100_000 : 5_000;

/** The time limit of a case. The short form runs beside other tests, so it allows more. */
const HANG_MS = isLongForm ? 2_000 : 60_000;

const bundle = await readBundle(DEFAULT_BUNDLE);
const task = taskFor(bundle, { labels: ["low", "high"] });
const profile = { id: "demo-000", masks: masksOf(1), labelBias: Uint8Array.of(1, 255) };
const keys = parseSigningKeys(`new:${Buffer.alloc(32, 1).toString("base64")}`);
const now = new Date();
const use = { bundles: bundle.taskBundles, task: task.name, profile: null };

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const streamOf = (pieces: readonly Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });

/** A format: its inputs, how to read one, the codes that reject one, and what holds for an accepted one. */
interface Codec<Input> {
  readonly name: string;
  readonly inputs: fc.Arbitrary<Input>;
  readonly read: (input: Input) => unknown;
  readonly rejectionCodes: RegExp;
  readonly holds?: (read: never, input: Input) => void | Promise<void>;
}

const codec = <Input, Read>(
  one: Omit<Codec<Input>, "read" | "holds"> & {
    read(input: Input): Read;
    holds?(read: Awaited<Read>, input: Input): void | Promise<void>;
  },
) => one as Codec<unknown>;

const profileTask = await profileTaskOf(task);
const profileLine = formatProfile(profileTask, profile);
const manifest = await readFolder(DEFAULT_BUNDLE)("manifest.json");
if (manifest === null) throw new Error("the bundle has no manifest");
const { token } = await signToken(
  keys,
  { ...task, generation: 1 },
  { task: task.name, ...profile, labelBias: null, generation: 1, updatedAt: now },
  { carry: "profile", ttlSeconds: 60, until: null, now },
);
const [header = "", claims = ""] = token.split(".").map((part) => Buffer.from(part, "base64url").toString());

const CODECS = [
  codec({
    name: "masks",
    inputs: shapes.chain((shape) =>
      choicesOf(shape).chain((choices) => fc.tuple(fc.constant(shape), hostileBytes(packMasks(choices, shape)))),
    ),
    read: ([shape, blob]) => unpackMasks(blob, shape),
    rejectionCodes: /^invalid_mask$/,
    holds: (adapters, [shape, blob]) => expect(packMasks(adapters, shape)).toEqual(blob),
  }),
  codec({
    name: "task adapter",
    inputs: fc.oneof(
      hostileBytes(packAdapter(Float32Array.of(1, 0, 0.5, 2), new Int8Array(24).fill(-3))),
      hostileBytes(
        packPooled(packAdapter(new Float32Array(4), new Int8Array(24)), {
          size: 2,
          chosen: 1,
          scales: Float32Array.of(1, 2, 3, 4),
          steps: new Int8Array(24).fill(5),
        }),
      ),
    ),
    read: (bytes) => readTaskAdapter(bytes, { layers: 2, hidden: 3, bottleneck: 2, pool: { firstLayer: 1 } }),
    rejectionCodes: /^invalid_row$/,
    holds({ scales, steps, pool }, bytes) {
      const alone = packAdapter(scales, steps);
      expect(pool ? packPooled(alone, pool) : alone).toEqual(bytes);
      expect(pool?.scales.every((scale) => scale > 0 && scale < Number.POSITIVE_INFINITY) ?? true).toBe(true);
      expect(scales.every((scale) => scale >= 0 && scale < Number.POSITIVE_INFINITY)).toBe(true);
    },
  }),
  codec({
    name: "label bias",
    inputs: profileHeads.chain(({ shape, head }) =>
      fc.tuple(fc.constant(shape), hostileBytes(packProfileHead(head) ?? new Uint8Array(shape.labels))),
    ),
    read: ([shape, blob]) => readProfileHead(blob, shape),
    rejectionCodes: /^invalid_label_bias$/,
    holds: (head, [shape, blob]) => expect(packProfileHead(head) ?? new Uint8Array(shape.labels)).toEqual(blob),
  }),
  codec({
    name: "manifest, by its fields",
    inputs: hostileJson(JSON.parse(decode(manifest))),
    read: (text) => parseManifest(encode(text)),
    rejectionCodes: /^invalid_manifest$/,
  }),
  codec({
    name: "manifest, by its bytes",
    inputs: hostileBytes(manifest),
    read: (bytes) => parseManifest(bytes),
    rejectionCodes: /^invalid_manifest$/,
  }),
  codec({
    name: "task.json",
    inputs: hostileJson({ ...taskFileFields(task) }),
    read: (text) => parseTask(text, bundle),
    rejectionCodes: /^(invalid_row|mismatched_write|invalid_mask)$/,
    holds: (read) => expect(parseTask(JSON.stringify(taskFileFields(read)), bundle)).toEqual(read),
  }),
  codec({
    name: "a line of profiles.ndjson",
    inputs: hostileJson(JSON.parse(profileLine)),
    read: (line) => parseProfile(line, profileTask, bundle),
    rejectionCodes: /^(invalid_row|mismatched_write|head_mismatch|invalid_mask|invalid_label_bias)$/,
    holds: (read) => expect(parseProfile(formatProfile(profileTask, read), profileTask, bundle)).toEqual(read),
  }),
  codec({
    name: "a line of an import",
    inputs: hostileJson({ ...JSON.parse(profileLine), generation: 3 }),
    read: (line) => parseImportLine(line),
    rejectionCodes: /^invalid_row$/,
  }),
  codec({
    name: "a token, by its bytes",
    inputs: hostileBytes(encode(token)),
    read: (bytes) => readToken(decode(bytes), keys, use, now),
    rejectionCodes: /^token_/,
    // Unpadded Base64 has unused bits at its end, which may differ in an accepted token.
    holds: (read) => expect(read).toMatchObject({ profile: "demo-000", parts: { masks: masksOf(1) } }),
  }),
  codec({
    name: "a token, by its header and claims",
    inputs: fc.tuple(
      fc.oneof(
        { weight: 2, arbitrary: fc.constant(header) },
        { weight: 1, arbitrary: hostileJson(JSON.parse(header)) },
      ),
      hostileJson(JSON.parse(claims)),
      // Signed with the key, with another key, or not at all.
      fc.oneof({ weight: 4, arbitrary: fc.constant("new") }, { weight: 1, arbitrary: fc.constantFrom("", "other") }),
    ),
    read: ([head, body, key]) => {
      const parts = [head, body].map((part) => Buffer.from(part).toString("base64url")).join(".");
      const secret = Buffer.alloc(32, key === "new" ? 1 : 9);
      const signature = key === "" ? "" : createHmac("sha256", secret).update(parts).digest("base64url");
      return readToken(`${parts}.${signature}`, keys, use, now);
    },
    rejectionCodes: /^token_/,
    holds: ({ task: of, parts }, [, , key]) =>
      expect([key, of, parts.masks]).toEqual(["new", "demo", expect.any(Uint8Array)]),
  }),
  codec({
    name: "the setting TOKEN_KEYS",
    inputs: fc.oneof(
      hostileText,
      hostileBytes(
        encode(`new:${Buffer.alloc(32, 1).toString("base64")},old:${Buffer.alloc(40, 2).toString("base64")}`),
      ).map(decode),
    ),
    read: (setting) => parseSigningKeys(setting),
    rejectionCodes: /^(tokens_not_set_up|invalid_setting)$/,
    holds: ({ current, byId }) => expect(byId.get(current)?.length).toBeGreaterThanOrEqual(32),
  }),
  codec({
    name: "JSON Lines, however they are cut",
    inputs: fc.tuple(
      fc.array(hostileBytes(encode(`${profileLine.slice(0, 40)}\n`)), { maxLength: 8 }),
      fc.integer({ min: 1, max: 60 }),
    ),
    read: async ([pieces, maxBytes]) => {
      const limits = { maxBytes, maxLines: 3, groupBytes: 100 };
      const groups = await Array.fromAsync(readLineGroups(streamOf(pieces), limits));
      return groups.flat();
    },
    rejectionCodes: /^$/,
    holds: (lines, [pieces, maxBytes]) => {
      const whole = Buffer.concat(pieces);
      const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at);
      for (const { number, text, fault } of lines) {
        const from = number === 1 ? 0 : (ends[number - 2] ?? Number.NaN) + 1;
        const line = whole.subarray(from, ends[number - 1]);
        expect(fault === "length").toBe(line.length > maxBytes);
        if (text !== null)
          expect(Buffer.from(text.replace(/\r$/, ""))).toEqual(Buffer.from(decode(line).replace(/\r$/, "")));
      }
    },
  }),
];

const polluted = () => Object.keys(Object.prototype).length + Object.keys(Array.prototype).length;

afterEach(() => expect(polluted()).toBe(0));

/** Reads an input. Throws on an error that the format does not have, and on a slow case. */
async function readOrReject(
  { read, rejectionCodes, holds }: Codec<unknown>,
  input: unknown,
): Promise<"read" | "rejected"> {
  const start = performance.now();
  try {
    const value = await read(input);
    await holds?.(value as never, input);
    return "read";
  } catch (error) {
    if (!(error instanceof XpeftError)) throw error;
    expect(error.code).toMatch(rejectionCodes);
    expect(hintFor(error, "other", HINTS)).toMatch(/\S/);
    return "rejected";
  } finally {
    expect(performance.now() - start).toBeLessThan(HANG_MS);
  }
}

describe.each(CODECS)("$name", (format) => {
  it("is read exactly, or rejected with its own error", { timeout: 3_600_000 }, async () => {
    const counts = { read: 0, rejected: 0 };
    const property = fc.asyncProperty(format.inputs, async (input) => {
      counts[await readOrReject(format, input)]++;
    });
    await fc.assert(property, { numRuns: Math.ceil(CASES / CODECS.length) });
    console.info(`${format.name}: ${counts.read} read, ${counts.rejected} rejected`);
    // Cases that are all accepted, or all rejected, would test nothing.
    expect(Math.min(counts.read, counts.rejected)).toBeGreaterThan(format.rejectionCodes.source === "^$" ? -1 : 0);
  });
});
