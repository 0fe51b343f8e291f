import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type BundleFile, oneWithRole, parseManifest, withRole } from "../../../src/bundle/manifest.ts";
import type { XpeftError } from "../../../src/errors.ts";
import { readBundleFile } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const file = (role: string, parts: Partial<BundleFile> = {}) => {
  const listed = { path: role, role, bytes: 1, sha256: "0".repeat(64) };
  return { ...listed, ...parts };
};

const files = (...more: ReturnType<typeof file>[]) => ({
  files: [file("graph"), file("learning"), file("weights"), file("tokenizer"), ...more],
});

/** Returns the default files except those of a role. */
const without = (role: string) => files().files.filter((listed) => listed.role !== role);

const pool = (parts: object) => ({ pool: { kind: "sign", seed: 0, size: 10, chosen: 5, scale: 0.1, ...parts } });

/** Returns the parts of a manifest with a tail. */
const tailed = () => ({
  format: "xpeft-bundle/2",
  ...pool({ firstLayer: 1 }),
  tail: { epsilon: 1e-5 },
  ...files(file("tail", { bytes: 64 })),
});

/** Returns the parts of a manifest with a packed encoder. */
const packed = () => ({
  ...tailed(),
  format: "xpeft-bundle/3",
  packed: { heads: 1, intermediate: 16, words: 9, types: 2, positions: 64, epsilon: 1e-12 },
  ...files(file("tail", { bytes: 64 }), file("packed")),
});

/** Returns a valid manifest with some parts replaced. */
const manifest = (parts: object = {}) => ({
  format: "xpeft-bundle/1",
  name: "small",
  plm: { name: "some/model", licence: "Apache-2.0", sha256: "a".repeat(64) },
  layers: 2,
  hidden: 8,
  bottleneck: 4,
  ...pool({}),
  pooling: "mean",
  maxTokens: 64,
  learning: { firstLayer: 1, weights: ["weights"] },
  ...files(),
  ...parts,
});

describe("oneWithRole", () => {
  it("reports a role that no file has", () => {
    expect(() => oneWithRole([], "learning")).toThrow(errorWithCode("invalid_manifest"));
    expect(() => oneWithRole([], "learning")).toThrow("lists no learning");
  });
});

describe("parseManifest", () => {
  it("returns the manifest, and an id that hashes its exact bytes", async () => {
    const bytes = encode(manifest());
    const { manifest: parsed, id } = await parseManifest(bytes);
    expect(parsed).toEqual(manifest(pool({ firstLayer: 0 })));
    expect(id).toBe(createHash("sha256").update(bytes).digest("hex").slice(0, 32));
    expect((await parseManifest(Uint8Array.of(...bytes, 32))).id).not.toBe(id);
  });

  it("accepts the default bundle's manifest, with weights in parts that the platform can serve", async () => {
    const { manifest: parsed } = await parseManifest((await readBundleFile("manifest.json")) ?? new Uint8Array());
    expect(parsed).toMatchObject({
      layers: 6,
      hidden: 384,
      bottleneck: 16,
      pool: { firstLayer: 5, size: 256, chosen: 128 },
    });
    expect(oneWithRole(parsed.files, "graph").path).toBe("encoder.onnx");
    expect(withRole(parsed.files, "weights").length).toBeGreaterThan(0);
  });

  it("accepts a pool whose adapters are all chosen, and a learning graph over some weights", async () => {
    const two = files(file("weights", { path: "more" }));
    const parts = { ...pool({ size: 5, chosen: 5 }), ...two, learning: { firstLayer: 0, weights: ["weights"] } };
    expect((await parseManifest(encode(manifest(parts)))).manifest).toMatchObject(manifest(parts));
    const unlisted = { ...parts, learning: { firstLayer: 0, weights: ["weights", "graph"] } };
    await expect(parseManifest(encode(manifest(unlisted)))).rejects.toThrow("does not list");
  });

  it("accepts features from the first token", async () => {
    expect((await parseManifest(encode(manifest({ pooling: "cls" })))).manifest.pooling).toBe("cls");
  });

  it("accepts a trained pool with its files", async () => {
    const trained = manifest({ pool: { kind: "trained", size: 10, chosen: 5 }, ...files(file("pool")) });
    expect((await parseManifest(encode(trained))).manifest).toMatchObject(trained);
  });

  it("accepts a tail where the last layer alone is personal", async () => {
    const { manifest: parsed } = await parseManifest(encode(manifest(tailed())));
    expect(parsed).toMatchObject({ format: "xpeft-bundle/2", tail: { epsilon: 1e-5 } });
  });

  it.each<[string, object]>([
    ["before format 2", { format: "xpeft-bundle/1" }],
    ["of two personal layers", pool({ firstLayer: 0 })],
    ["of two learnt layers", { learning: { firstLayer: 0, weights: ["weights"] } }],
    ["of a hidden size that its vectors do not fit", { hidden: 6, ...files(file("tail", { bytes: 48 })) }],
    ["of a bottleneck that its vectors do not fit", { bottleneck: 6 }],
    ["without an epsilon", { tail: undefined }],
    ["with an epsilon of 0", { tail: { epsilon: 0 } }],
    ["without its file", files()],
    ["with a file of another size", files(file("tail", { bytes: 63 }))],
    ["with two files", files(file("tail", { bytes: 64 }), file("tail", { bytes: 64, path: "another" }))],
  ])("rejects a tail %s", async (_, parts) => {
    const rejected = parseManifest(encode(manifest({ ...tailed(), ...parts })));
    await expect(rejected).rejects.toThrow(errorWithCode("invalid_manifest"));
    await expect(rejected).rejects.toThrow("tail");
  });

  it("accepts a packed encoder, also in parts, beside a tail", async () => {
    const parts = { ...packed(), files: [...packed().files, file("packed", { path: "packed.1" })] };
    expect((await parseManifest(encode(manifest(parts)))).manifest).toMatchObject(parts);
  });

  it.each<[string, object]>([
    ["before format 3", { format: "xpeft-bundle/2" }],
    ["that is missing", { packed: undefined }],
    ["without its file", files(file("tail", { bytes: 64 }))],
    ["without a tail", { tail: undefined, ...files(file("packed")) }],
    ["with fewer positions than tokens", { maxTokens: 65 }],
    ["of heads that its vectors do not fit", { packed: { ...packed().packed, heads: 2 } }],
    ["of a width that its vectors do not fit", { packed: { ...packed().packed, intermediate: 12 } }],
    ["without words", { packed: { ...packed().packed, words: 0 } }],
    ["with an unknown size", { packed: { ...packed().packed, layers: 2 } }],
  ])("rejects a packed encoder %s", async (_, parts) => {
    const rejected = parseManifest(encode(manifest({ ...packed(), ...parts })));
    await expect(rejected).rejects.toThrow(errorWithCode("invalid_manifest"));
    await expect(rejected).rejects.toThrow("packed");
  });

  it.each([1, 2])("gives the default bundle the id that it had in format %i too", async (format) => {
    const { taskBundles } = await parseManifest((await readBundleFile("manifest.json")) ?? new Uint8Array());
    const earlier = await readFile(`test/fixtures/manifest-format-${format}.json`);
    expect(taskBundles[3 - format]).toBe(createHash("sha256").update(earlier).digest("hex").slice(0, 32));
  });

  it("accepts a pool that begins at a later layer", async () => {
    const parts = pool({ firstLayer: 1 });
    expect((await parseManifest(encode(manifest(parts)))).manifest).toEqual(manifest(parts));
  });

  it("rejects the default bundle's manifest with any byte flipped, or gives it another id", async () => {
    const good = (await readBundleFile("manifest.json")) ?? new Uint8Array();
    const { id } = await parseManifest(good);
    for (const [at, byte] of good.entries()) {
      const outcome = await parseManifest(good.with(at, byte ^ 1)).catch((error: XpeftError) => error);
      if (outcome instanceof Error) expect(outcome).toEqual(errorWithCode("invalid_manifest"));
      else expect(outcome.id).not.toBe(id);
    }
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["text that is not JSON", new TextEncoder().encode("{")],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["an array", encode([manifest()])],
    ["a byte order mark", Uint8Array.of(0xef, 0xbb, 0xbf, ...encode(manifest()))],
  ])("rejects %s", async (_, bytes) => {
    await expect(parseManifest(bytes)).rejects.toThrow(errorWithCode("invalid_manifest"));
  });

  it("says what is wrong, also with the whole, and keeps the cause of a parse error", async () => {
    await expect(parseManifest(encode([]))).rejects.toThrow("the whole: ");
    const broken = parseManifest(new TextEncoder().encode("{"));
    await expect(broken).rejects.toMatchObject({ cause: expect.any(SyntaxError) });
    // A lenient decoder would accept the name with a replacement character.
    const name = encode(manifest({ name: "small?" }));
    const notUtf8 = name.with(name.lastIndexOf(0x3f), 0xff);
    await expect(parseManifest(notUtf8)).rejects.toMatchObject({ cause: expect.any(TypeError) });
  });

  it.each<[string, object, string]>([
    ["a later format", { format: "xpeft-bundle/4" }, "format"],
    ["an unknown field", { colour: "red" }, "colour"],
    ["no layers", { layers: 0 }, "layers"],
    ["half a layer", { layers: 1.5 }, "layers"],
    ["no hidden size", { hidden: undefined }, "hidden"],
    ["an unknown kind of pool", pool({ kind: "gaussian" }), "pool.kind"],
    ["a trained pool with a seed", { ...pool({ kind: "trained" }), ...files(file("pool")) }, "pool"],
    ["a trained pool without its files", { pool: { kind: "trained", size: 10, chosen: 5 } }, "must list pool files"],
    ["a sign pool with files", files(file("pool")), "must list pool files"],
    [
      "a trained pool with more adapters chosen than it has",
      { pool: { kind: "trained", size: 4, chosen: 5 } },
      "more adapters than it has",
    ],
    ["a pool with more adapters chosen than it has", pool({ chosen: 11 }), "more adapters than it has"],
    ["a pool with no adapter chosen", pool({ chosen: 0 }), "pool.chosen"],
    ["a pool of more adapters than 16 bits can number", pool({ size: 2 ** 16 + 1 }), "pool.size"],
    ["a pool that begins after the last layer", pool({ firstLayer: 2 }), "begins at a layer that it does not have"],
    ["a pool that begins before the first layer", pool({ firstLayer: -1 }), "pool.firstLayer"],
    ["no scale", pool({ scale: 0 }), "pool.scale"],
    ["a seed below 0", pool({ seed: -1 }), "pool.seed"],
    ["another pooling", { pooling: "max" }, "pooling"],
    ["no graph", { files: files().files.slice(1) }, "exactly one graph"],
    ["two graphs", files(file("graph", { path: "other" })), "exactly one graph"],
    ["no learning graph", { files: without("learning") }, "exactly one learning graph"],
    ["no tokenizer", { files: files().files.slice(0, 3) }, "exactly one tokenizer"],
    ["no weights", { files: without("weights") }, "needs weights"],
    ["a first layer past the last", { learning: { firstLayer: 2, weights: ["weights"] } }, "does not have"],
    ["a learning graph over other weights", { learning: { firstLayer: 1, weights: ["graph"] } }, "does not list"],
    ["an unknown role", files(file("secret")), "files.4.role"],
    ["a file listed twice", files(file("notice", { path: "graph" })), "lists a file twice"],
    ["weights too large for an asset", files(file("weights", { path: "w", bytes: 25 * 2 ** 20 })), "25 MiB or more"],
    ["a size below 0", files(file("notice", { bytes: -1 })), "files.4.bytes"],
    ["a hash of the wrong length", files(file("notice", { sha256: "0".repeat(63) })), "files.4.sha256"],
    ["itself as a file", files(file("notice", { path: "manifest.json" })), "cannot list itself"],
    ...["", ".", "..", "../up", "a/b", "a\\b", "/etc/passwd", "%2e%2e", "a b", ".hidden"].map(
      (path) =>
        [`the path ${JSON.stringify(path)}`, files(file("notice", { path })), "files.4.path"] satisfies [
          string,
          object,
          string,
        ],
    ),
  ])("rejects %s and says where", async (_, parts, where) => {
    const parsing = parseManifest(encode(manifest(parts)));
    await expect(parsing).rejects.toThrow(errorWithCode("invalid_manifest"));
    await expect(parsing).rejects.toThrow(where);
  });
});
