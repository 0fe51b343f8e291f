import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { ReadFile } from "../../../src/bundle/files.ts";
import type { Modules } from "../../../src/model/text-parts.ts";
import type { EngineName } from "../../../src/model/trunk.ts";
import { createEngine } from "../../../src/serving/engine.ts";
import { compileModules, readBundleFile } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";

const GRAPH = ["encoder.onnx", "encoder.weights.0", "encoder.weights.1"];
const FILES = { kernels: ["packed.0", "tail.0", "tokenizer.json", "NOTICE"], onnxruntime: GRAPH, native: GRAPH };
const CASES = Object.entries(FILES).flatMap(([engine, files]) =>
  files.map((file) => [file, engine as EngineName] as const),
);

let modulesOf: Record<EngineName, Modules>;

beforeAll(async () => {
  modulesOf = {
    kernels: await compileModules(),
    onnxruntime: await compileModules("onnxruntime"),
    native: await compileModules("native"),
  };
});

/** Reads the default bundle with one file changed. */
function altered(path: string, change: (bytes: Uint8Array) => Uint8Array | null): ReadFile {
  return async (requested) => {
    const bytes = await readBundleFile(requested);
    return requested === path && bytes !== null ? change(bytes) : bytes;
  };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

/** Returns the manifest with another size and hash for one file. */
function relisted(manifest: Uint8Array, path: string, content: Uint8Array): Uint8Array {
  const parsed: { files: { path: string }[] } = JSON.parse(new TextDecoder().decode(manifest));
  const sha256 = createHash("sha256").update(content).digest("hex");
  const files = parsed.files.map((file) => (file.path === path ? { ...file, bytes: content.length, sha256 } : file));
  return new TextEncoder().encode(JSON.stringify({ ...parsed, files }));
}

describe("loading a damaged bundle", () => {
  it.each([...CASES, ["manifest.json", "kernels"] as const])("reports a missing %s to %s", async (path, engine) => {
    const read = altered(path, () => null);
    await expect(createEngine({ read, ...modulesOf[engine] })).rejects.toThrow(errorWithCode("bundle_file_missing"));
    await expect(createEngine({ read, ...modulesOf[engine] })).rejects.toThrow(path);
  });

  it.each(CASES)("rejects %s with a byte too few, a byte too many, or no bytes, for %s", async (path, engine) => {
    const changes = [
      (bytes: Uint8Array) => bytes.subarray(0, -1),
      (bytes: Uint8Array) => {
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        return longer;
      },
      () => new Uint8Array(),
    ];
    for (const change of changes) {
      const read = altered(path, change);
      await expect(createEngine({ read, ...modulesOf[engine] })).rejects.toThrow(errorWithCode("bundle_file_corrupt"));
    }
  });

  it.each(CASES)("rejects %s with one byte flipped anywhere, for %s", async (path, engine) => {
    const length = (await readBundleFile(path))?.length ?? 0;
    for (const at of [0, length >> 1, length - 1]) {
      const read = altered(path, (bytes) => flipped(bytes, at));
      await expect(createEngine({ read, ...modulesOf[engine] })).rejects.toThrow(errorWithCode("bundle_file_corrupt"));
    }
  });
});

describe("loading a bundle of intact files that do not match", () => {
  it("rejects an encoder whose sizes differ from the manifest's", async () => {
    const read = altered("manifest.json", (bytes) =>
      new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"bottleneck": 16', '"bottleneck": 12')),
    );
    await expect(createEngine({ read, ...modulesOf.onnxruntime })).rejects.toThrow(errorWithCode("bundle_unusable"));
    await expect(createEngine({ read, ...modulesOf.onnxruntime })).rejects.toThrow("adapter_down [6,384,16]");
  });

  it.each(["encoder.onnx", "tokenizer.json", "packed.0"])("rejects an %s with other content", async (path) => {
    const other = new TextEncoder().encode("{}");
    const read: ReadFile = async (requested) => {
      if (requested === path) return other;
      const bytes = await readBundleFile(requested);
      return requested === "manifest.json" && bytes !== null ? relisted(bytes, path, other) : bytes;
    };
    await expect(
      createEngine({ read, ...modulesOf[path === "encoder.onnx" ? "onnxruntime" : "kernels"] }),
    ).rejects.toThrow(errorWithCode("bundle_unusable"));
  });
});

it("has another id if one byte of the manifest is flipped, so no row matches it", async () => {
  const { bundle } = await createEngine({ read: readBundleFile, ...modulesOf.kernels });
  const name = new TextEncoder().encode('"name": "m').length;
  const read = altered("manifest.json", (bytes) =>
    flipped(bytes, new TextDecoder().decode(bytes).indexOf('"name"') + name),
  );
  expect((await createEngine({ read, ...modulesOf.kernels })).bundle.id).not.toBe(bundle.id);
});
