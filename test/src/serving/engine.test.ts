import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { ReadFile } from "../../../src/bundle/files.ts";
import { softmax } from "../../../src/model/head.ts";
import type { Task } from "../../../src/profiles/task.ts";
import { createEngine, type Engine } from "../../../src/serving/engine.ts";
import { compileKernels, compileRuntime, readBundle } from "../../support/default-bundle.ts";
import { errorWithCode } from "../../support/errors.ts";
import { engineInputs, masksOf, taskOf } from "../../support/rows.ts";

const FILES = ["encoder.onnx", "encoder.weights.0", "encoder.weights.1", "tokenizer.json", "NOTICE"];

let modules: { wasm: WebAssembly.Module; kernels: WebAssembly.Module };

beforeAll(async () => {
  modules = { wasm: await compileRuntime(), kernels: await compileKernels() };
});

/** Reads the default bundle with one file changed. */
function altered(path: string, change: (bytes: Uint8Array) => Uint8Array | null): ReadFile {
  return async (requested) => {
    const bytes = await readBundle(requested);
    return requested === path && bytes !== null ? change(bytes) : bytes;
  };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

describe("loading a damaged bundle", () => {
  it.each([...FILES, "manifest.json"])("reports a missing %s", async (path) => {
    const read = altered(path, () => null);
    await expect(createEngine({ read, ...modules })).rejects.toThrow(errorWithCode("bundle_file_missing"));
    await expect(createEngine({ read, ...modules })).rejects.toThrow(path);
  });

  it.each(FILES)("rejects %s with a byte too few, a byte too many, or no bytes", async (path) => {
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
      await expect(createEngine({ read, ...modules })).rejects.toThrow(errorWithCode("bundle_file_corrupt"));
    }
  });

  it.each(FILES)("rejects %s with one byte flipped anywhere", async (path) => {
    const length = (await readBundle(path))?.length ?? 0;
    for (const at of [0, length >> 1, length - 1]) {
      const read = altered(path, (bytes) => flipped(bytes, at));
      await expect(createEngine({ read, ...modules })).rejects.toThrow(errorWithCode("bundle_file_corrupt"));
    }
  });
});

describe("loading a bundle of intact files that do not match", () => {
  it("rejects an encoder whose sizes differ from the manifest's", async () => {
    const read = altered("manifest.json", (bytes) =>
      new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"bottleneck": 24', '"bottleneck": 12')),
    );
    await expect(createEngine({ read, ...modules })).rejects.toThrow(errorWithCode("bundle_unusable"));
    await expect(createEngine({ read, ...modules })).rejects.toThrow("adapter_down [6,384,24]");
  });

  it.each(["encoder.onnx", "tokenizer.json"])("rejects an %s with other content", async (path) => {
    const other = new TextEncoder().encode("{}");
    const read: ReadFile = async (requested) => {
      if (requested === path) return other;
      const bytes = await readBundle(requested);
      return requested === "manifest.json" && bytes !== null ? relisted(bytes, path, other) : bytes;
    };
    await expect(createEngine({ read, ...modules })).rejects.toThrow(errorWithCode("bundle_unusable"));
  });
});

/** Returns the manifest with another size and hash for one file. */
function relisted(manifest: Uint8Array, path: string, content: Uint8Array): Uint8Array {
  const parsed: { files: { path: string }[] } = JSON.parse(new TextDecoder().decode(manifest));
  const sha256 = createHash("sha256").update(content).digest("hex");
  const files = parsed.files.map((file) => (file.path === path ? { ...file, bytes: content.length, sha256 } : file));
  return new TextEncoder().encode(JSON.stringify({ ...parsed, files }));
}

describe("a loaded engine", () => {
  let engine: Engine;
  let task: Task;

  beforeAll(async () => {
    engine = await createEngine({ read: readBundle, ...modules });
    task = { ...taskOf({ bundle: engine.bundle.id, maxTokens: 32 }), generation: 1 };
  });

  const predict = (row: Task, text: string, textPair?: string) =>
    engine.predict(row, engineInputs(row.masks, { text, textPair }));

  it("rejects a task of another bundle", async () => {
    const other = { ...task, bundle: "f".repeat(32) };
    await expect(predict(other, "a text")).rejects.toThrow(errorWithCode("bundle_mismatch"));
  });

  it("rejects a task that reads more tokens than the encoder, or none", async () => {
    await expect(predict({ ...task, maxTokens: 513 }, "a text")).rejects.toThrow(errorWithCode("invalid_row"));
    await expect(predict({ ...task, maxTokens: 2 }, "a text")).rejects.toThrow(errorWithCode("invalid_row"));
  });

  it("rejects a truncated head", async () => {
    await expect(predict({ ...task, head: task.head.subarray(1) }, "a text")).rejects.toThrow(
      errorWithCode("invalid_row"),
    );
  });

  it("rejects masks of the wrong length", async () => {
    const masks = task.masks.slice(1);
    await expect(predict({ ...task, masks }, "a text")).rejects.toThrow(errorWithCode("invalid_mask"));
  });

  it.each(["", " \t\n", "\u200b\u0000\ufffd", "\ud800"])("rejects %j as an empty text", async (text) => {
    await expect(predict(task, text)).rejects.toThrow(errorWithCode("empty_text"));
  });

  it("reports which text is empty, and labels none", async () => {
    const readings = engineInputs(task.masks, { text: "one" }, { text: " " });
    await expect(engine.predict(task, readings)).rejects.toThrow("Input 1");
  });

  it("reads a pair differently from its first text alone", async () => {
    const { predictions: alone } = await predict(task, "a premise");
    const { predictions: paired } = await predict(task, "a premise", "a conclusion");
    expect(paired[0]?.tokens).toBe((alone[0]?.tokens ?? 0) + 3);
    expect(paired[0]?.scores).not.toEqual(alone[0]?.scores);
  });

  it("truncates a long text and says so", async () => {
    const { predictions } = await predict(task, "word ".repeat(40));
    expect(predictions[0]).toMatchObject({ tokens: 32, truncated: true });
  });

  it("rejects a long text if truncation is off, and accepts one that just fits", async () => {
    const ask = (words: number) =>
      engine.predict(task, engineInputs(task.masks, { text: "word ".repeat(words) }), { truncate: false });
    await expect(ask(31)).rejects.toThrow(errorWithCode("text_too_long"));
    expect((await ask(30)).predictions[0]).toMatchObject({ tokens: 32, truncated: false });
  });

  it("returns the logits behind the scores", async () => {
    const [prediction] = (await predict(task, "a text")).predictions;
    expect(softmax(prediction?.logits ?? [])).toEqual(prediction?.scores);
  });

  it("labels texts under several profiles, each like a separate call", async () => {
    const input = { text: "a text" };
    const mixed = [
      ...engineInputs(masksOf(1), input),
      ...engineInputs(masksOf(2), input),
      ...engineInputs(masksOf(1), input),
    ];
    const { predictions } = await engine.predict(task, mixed);
    for (const [place, reading] of mixed.entries()) {
      expect((await engine.predict(task, [reading])).predictions[0]).toEqual(predictions[place]);
    }
    expect(predictions[1]?.logits).not.toEqual(predictions[0]?.logits);
  });

  it("probes itself", async () => {
    expect(await engine.probe()).toEqual({ tokens: 8 });
  });

  it("reports each step's time", async () => {
    const { timings } = await predict(task, "a text");
    expect(timings.encoder).toBeGreaterThan(0);
    for (const step of Object.values(timings)) expect(step).toBeGreaterThanOrEqual(0);
  });

  it("reports the size of WASM memory", () => {
    expect(engine.heapBytes()).toBeGreaterThan(24 * 2 ** 20);
  });
});

it("has another id if one byte of the manifest is flipped, so no row matches it", async () => {
  const { bundle } = await createEngine({ read: readBundle, ...modules });
  const name = new TextEncoder().encode('"name": "m').length;
  const read = altered("manifest.json", (bytes) =>
    flipped(bytes, new TextDecoder().decode(bytes).indexOf('"name"') + name),
  );
  expect((await createEngine({ read, ...modules })).bundle.id).not.toBe(bundle.id);
});
