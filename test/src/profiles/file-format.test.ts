import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import {
  formatProfile,
  parseImportLine,
  parseProfile,
  parseStoredTask,
  parseTask,
  taskFileFields,
} from "../../../src/profiles/file-format.ts";
import { labelSetFault } from "../../../src/profiles/labels.ts";
import { profileTaskOf } from "../../../src/profiles/profile-task.ts";
import golden from "../../fixtures/golden.json" with { type: "json" };
import { errorWithCode } from "../../support/errors.ts";
import {
  adapterOf,
  masksOf,
  POOLED_SHAPE,
  pooledAdapterOf,
  profilesFile,
  profilesOf,
  taskFile,
  taskFor,
} from "../../support/rows.ts";

const bundle = await readBundle(DEFAULT_BUNDLE);
const task = taskFor(bundle);
const profileTask = await profileTaskOf(task);

/** Returns the task's file with changed fields. */
const fileWith = (fields: object): string => JSON.stringify({ ...JSON.parse(taskFile(task)), ...fields });

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

describe("parseTask", () => {
  it("reads back what was written", () => {
    const labels = fc
      .array(fc.string({ minLength: 1, unit: "grapheme" }), { minLength: 2, maxLength: 5 })
      .filter((labels) => labelSetFault(labels) === null);
    fc.assert(
      fc.property(labels, fc.integer({ min: 5, max: 512 }), fc.nat(), (labels, maxTokens, seed) => {
        const written = taskFor(bundle, { labels, maxTokens, masks: masksOf(seed) });
        expect(parseTask(taskFile(written), bundle)).toEqual(written);
        const adapted = { ...written, adapter: adapterOf(seed) };
        expect(parseTask(JSON.stringify(taskFileFields(adapted)), bundle)).toEqual(adapted);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ["text that is not JSON", "task", "invalid_row"],
    ["another format", fileWith({ format: "xpeft-task/2" }), "invalid_row"],
    ["an invalid name", fileWith({ task: "No Task" }), "invalid_row"],
    ["a single label", fileWith({ labels: ["one"] }), "invalid_row"],
    ["a label twice", fileWith({ labels: ["one", "two", "one"] }), "invalid_row"],
    ["a label twice but for a space", fileWith({ labels: ["one", "two", "one "] }), "invalid_row"],
    ["a label with a tab", fileWith({ labels: ["one", "two\tthree", "four"] }), "invalid_row"],
    ["damaged base64", fileWith({ masks: "*" }), "invalid_row"],
    ["an unknown field", fileWith({ affine: "AAAA" }), "invalid_row"],
    ["another bundle", fileWith({ bundle: "0".repeat(32) }), "mismatched_write"],
    ["more tokens than the bundle accepts", fileWith({ maxTokens: 513 }), "mismatched_write"],
    ["a head of another length", fileWith({ labels: ["one", "two"] }), "mismatched_write"],
    ["an adapter of another length", fileWith({ adapter: base64(adapterOf(1).subarray(1)) }), "mismatched_write"],
    ["an empty adapter", fileWith({ adapter: "" }), "mismatched_write"],
    ["an adapter that is not base64", fileWith({ adapter: "*" }), "invalid_row"],
    ["masks of another length", fileWith({ masks: base64(masksOf(0).subarray(1)) }), "invalid_mask"],
  ] as const)("reports %s", (_, text, code) => {
    expect(() => parseTask(text, bundle)).toThrow(errorWithCode(code));
  });
});

describe("a task with a pool of its own", () => {
  const masks = masksOf(1, POOLED_SHAPE);
  const pooled = { ...task, masks, adapter: pooledAdapterOf(1) };

  it("has masks of the pool's size, or none", async () => {
    expect(masks).toHaveLength(8);
    const bare = { ...pooled, masks: new Uint8Array() };
    for (const one of [pooled, bare]) expect(parseTask(taskFile(one), bundle)).toEqual(one);
    const profile = { id: "anna", masks, labelBias: null };
    const ofPooled = await profileTaskOf(pooled);
    expect(parseProfile(formatProfile(ofPooled, profile), ofPooled, bundle)).toEqual(profile);
    expect(parseTask(taskFile({ ...task, adapter: adapterOf(1) }), bundle).masks).toHaveLength(64);
  });

  it("rejects masks of the bundle's size, as a task without a pool rejects its own", async () => {
    const message = "A mask blob has 64 bytes; this task needs 8.";
    expect(() => parseTask(taskFile({ ...pooled, masks: masksOf(0) }), bundle)).toThrow(message);
    const profile = { id: "anna", masks: masksOf(0), labelBias: null };
    const ofPooled = await profileTaskOf(pooled);
    const read = () => parseProfile(formatProfile(ofPooled, profile), ofPooled, bundle);
    expect(read).toThrow(errorWithCode("invalid_mask"));
    expect(read).toThrow(message);
    const other = formatProfile(profileTask, { ...profile, masks });
    expect(() => parseProfile(other, profileTask, bundle)).toThrow("A mask blob has 8 bytes; this task needs 64.");
  });

  it("is rejected if the pool is damaged, and its profiles too", async () => {
    const adapter = pooled.adapter.with(73_776, 8);
    const damaged = { ...pooled, adapter };
    expect(() => parseTask(taskFile(damaged), bundle)).toThrow(
      'The adapter of task "demo" has a pool whose masks choose 16 of 8 adapters.',
    );
    const line = formatProfile(await profileTaskOf(damaged), { id: "anna", masks, labelBias: null });
    const ofDamaged = await profileTaskOf(damaged);
    expect(() => parseProfile(line, ofDamaged, bundle)).toThrow(errorWithCode("invalid_row"));
  });
});

it("reads an adapter that is null as none, and writes none", () => {
  expect(parseTask(fileWith({ adapter: null }), bundle)).toEqual(task);
  expect(taskFileFields(task)).not.toHaveProperty("adapter");
});

it("reads a stored task whose labels are older than the rule", () => {
  const labels = ["one", "one ", "two\tthree"];
  expect(parseStoredTask(fileWith({ labels }), bundle).labels).toEqual(labels);
  expect(() => parseTask(fileWith({ labels }), bundle)).toThrow(
    'labels: "one" and "one " are one label, with other white space or in another Unicode form.',
  );
});

describe("a task's limits", () => {
  it("include the bundle's token limit", () => {
    expect(parseTask(fileWith({ maxTokens: 512 }), bundle).maxTokens).toBe(512);
    expect(() => parseTask(fileWith({ maxTokens: 513 }), bundle)).toThrow(
      "reads 513 tokens; the bundle's limit is 512",
    );
  });

  it("include the size of a database row, with labels in UTF-8", () => {
    const manyLabels = (labels: string[]) => taskFile(taskFor(bundle, { labels }));
    const numbered = (count: number, more = "") => Array.from({ length: count }, (_, number) => `${number}${more}`);
    expect(parseTask(manyLabels(numbered(1000)), bundle).labels).toHaveLength(1000);
    expect(() => parseTask(manyLabels(numbered(1300)), bundle)).toThrow(errorWithCode("mismatched_write"));
    expect(() => parseTask(manyLabels(numbered(1000, "ü".repeat(250))), bundle)).toThrow("larger than a row");
  });

  it("count the adapter", () => {
    const labels = Array.from({ length: 1230 }, (_, number) => String(number));
    const large = taskFor(bundle, { labels });
    expect(parseTask(taskFile(large), bundle).labels).toHaveLength(1230);
    const adapted = taskFile({ ...large, adapter: adapterOf(1) });
    expect(() => parseTask(adapted, bundle)).toThrow("larger than a row");
  });

  it.each([Number.NaN, Infinity, -1])("exclude the scale %d in an adapter", (scale) => {
    const adapter = adapterOf(1);
    adapter.set(new Uint8Array(Float32Array.of(scale).buffer), 4);
    expect(() => parseTask(fileWith({ adapter: base64(adapter) }), bundle)).toThrow(
      `The adapter of task "demo" has the scale ${scale} for the up matrix of layer 0; a scale is finite and not negative.`,
    );
  });

  it.each([Number.NaN, Infinity, -Infinity])("exclude %d in a head", (value) => {
    const head = task.head.with(3, value);
    const file = fileWith({ head: base64(new Uint8Array(head.buffer)) });
    expect(() => parseTask(file, bundle)).toThrow("not finite");
  });

  it("are reported with the cause of a parse error", () => {
    let error: unknown;
    try {
      parseTask("{", bundle);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "invalid_row", cause: expect.any(SyntaxError) });
  });
});

describe("a head's hash", () => {
  it.each(golden.heads)("is the companion's for the labels $labels", async ({ bundle, labels, head, hash }) => {
    const numbers = new Float32Array(new Uint8Array(Buffer.from(head, "base64")).buffer);
    expect((await profileTaskOf({ name: "demo", bundle, labels, head: numbers, adapter: null })).headHash).toBe(hash);
  });

  it("covers the adapter's bytes after the head's", async () => {
    const adapter = adapterOf(1);
    const text = JSON.stringify([task.bundle, task.labels]);
    const hash = createHash("sha256")
      .update(text)
      .update(new Uint8Array(task.head.buffer))
      .update(adapter)
      .digest("hex");
    expect((await profileTaskOf({ ...task, adapter })).headHash).toBe(hash.slice(0, 32));
  });

  it("depends on what masks are trained with: bundle, labels, head and adapter", async () => {
    const tasks = [
      task,
      { ...task, bundle: "2".repeat(32) },
      { ...task, labels: ["low", "high", "middle"] },
      { ...task, head: task.head.with(7, 1) },
      { ...task, adapter: adapterOf(1) },
      { ...task, adapter: adapterOf(2) },
    ];
    const hashes = await Promise.all(tasks.map(async (one) => (await profileTaskOf(one)).headHash));
    expect(new Set(hashes).size).toBe(tasks.length);
    const renamed = { ...task, name: "other", maxTokens: 7, masks: masksOf(3) };
    expect((await profileTaskOf(renamed)).headHash).toBe(hashes[0]);
  });
});

describe("parseProfile", () => {
  const parse = (text: string) => parseProfile(text, profileTask, bundle);
  const [profile] = profilesOf(1);
  const line = profilesFile("demo", profilesOf(1));
  const lineWith = (fields: object): string => JSON.stringify({ ...JSON.parse(line), ...fields });
  const oneBitMore = masksOf(1).with(0, 255);
  const biased = { id: "demo-000", masks: masksOf(1), labelBias: Uint8Array.of(0, 128, 255) };

  it("reads back what was written", () => {
    expect(parse(line)).toEqual(profile);
    expect(parse(lineWith({ labelBias: null, headHash: null }))).toEqual(profile);
    expect(parse(formatProfile(profileTask, biased))).toEqual(biased);
    expect(parse(profilesFile("demo", [biased]))).toEqual(biased);
    expect(parseImportLine(formatProfile(profileTask, biased)).fields.headHash).toBe(profileTask.headHash);
  });

  it.each([
    ["text that is not JSON", line.slice(1), "invalid_row"],
    ["an invalid id", lineWith({ profile: "../x" }), "invalid_row"],
    ["another task", lineWith({ task: "other" }), "mismatched_write"],
    ["another head", lineWith({ headHash: "0".repeat(32) }), "head_mismatch"],
    ["a hash that cannot be one", lineWith({ headHash: "0".repeat(31) }), "invalid_row"],
    ["masks that choose too many adapters", lineWith({ masks: base64(oneBitMore) }), "invalid_mask"],
    ["a label bias that is too short", lineWith({ labelBias: base64(Uint8Array.of(1, 2)) }), "invalid_label_bias"],
    ["a label bias that is not base64", lineWith({ labelBias: [1, 2, 3] }), "invalid_row"],
    ["masks that are too long", lineWith({ masks: base64(Buffer.concat([masksOf(1), Buffer.of(0)])) }), "invalid_mask"],
  ] as const)("reports %s", (_, text, code) => {
    expect(() => parse(text)).toThrow(errorWithCode(code));
  });
});
