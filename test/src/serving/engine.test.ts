import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { ReadFile } from "../../../src/bundle/files.ts";
import { softmax } from "../../../src/model/head.ts";
import type { Task } from "../../../src/profiles/task.ts";
import { createEngine, type Engine } from "../../../src/serving/engine.ts";
import { named } from "../../support/errors.ts";
import { compileKernels, compileRuntime, readBundle } from "../../support/folder.ts";
import { masksOf, readingsOf, taskOf } from "../../support/rows.ts";

const FILES = ["encoder.onnx", "encoder.weights.0", "encoder.weights.1", "tokenizer.json", "NOTICE"];

let modules: { wasm: WebAssembly.Module; kernels: WebAssembly.Module };

beforeAll(async () => {
  modules = { wasm: await compileRuntime(), kernels: await compileKernels() };
});

/** The default bundle with one file changed on its way. */
function altered(path: string, change: (bytes: Uint8Array) => Uint8Array | null): ReadFile {
  return async (asked) => {
    const bytes = await readBundle(asked);
    return asked === path && bytes !== null ? change(bytes) : bytes;
  };
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

describe("loading a damaged bundle", () => {
  it.each([...FILES, "manifest.json"])("names a missing %s", async (path) => {
    const read = altered(path, () => null);
    await expect(createEngine({ read, ...modules })).rejects.toThrow(named("bundle_file_missing"));
    await expect(createEngine({ read, ...modules })).rejects.toThrow(path);
  });

  it.each(FILES)("refuses %s with a byte too few, a byte too many, or nothing in it", async (path) => {
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
      await expect(createEngine({ read, ...modules })).rejects.toThrow(named("bundle_file_corrupt"));
    }
  });

  it.each(FILES)("refuses %s with one byte flipped, wherever", async (path) => {
    const length = (await readBundle(path))?.length ?? 0;
    for (const at of [0, length >> 1, length - 1]) {
      const read = altered(path, (bytes) => flipped(bytes, at));
      await expect(createEngine({ read, ...modules })).rejects.toThrow(named("bundle_file_corrupt"));
    }
  });
});

describe("loading a bundle whose parts are whole but do not belong together", () => {
  it("refuses an encoder of other sizes than the manifest's", async () => {
    const read = altered("manifest.json", (bytes) =>
      new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"bottleneck": 24', '"bottleneck": 12')),
    );
    await expect(createEngine({ read, ...modules })).rejects.toThrow(named("bundle_unusable"));
    await expect(createEngine({ read, ...modules })).rejects.toThrow("adapter_down [6,384,24]");
  });

  it.each(["encoder.onnx", "tokenizer.json"])("refuses an %s that is none", async (path) => {
    const other = new TextEncoder().encode("{}");
    const read: ReadFile = async (asked) => {
      if (asked === path) return other;
      const bytes = await readBundle(asked);
      return asked === "manifest.json" && bytes !== null ? relisted(bytes, path, other) : bytes;
    };
    await expect(createEngine({ read, ...modules })).rejects.toThrow(named("bundle_unusable"));
  });
});

/** The manifest with another size and hash for one file. */
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
    engine.predict(row, readingsOf(row.masks, { text, textPair }));

  it("refuses a task of another bundle", async () => {
    const other = { ...task, bundle: "f".repeat(32) };
    await expect(predict(other, "a text")).rejects.toThrow(named("bundle_mismatch"));
  });

  it("refuses a task that reads more tokens than the encoder, or none", async () => {
    await expect(predict({ ...task, maxTokens: 513 }, "a text")).rejects.toThrow(named("invalid_row"));
    await expect(predict({ ...task, maxTokens: 2 }, "a text")).rejects.toThrow(named("invalid_row"));
  });

  it("refuses a head that is cut short", async () => {
    await expect(predict({ ...task, head: task.head.subarray(1) }, "a text")).rejects.toThrow(named("invalid_row"));
  });

  it("refuses masks that do not fit", async () => {
    const masks = task.masks.slice(1);
    await expect(predict({ ...task, masks }, "a text")).rejects.toThrow(named("invalid_mask"));
  });

  it.each(["", " \t\n", "\u200b\u0000\ufffd", "\ud800"])("has nothing to read in %j", async (text) => {
    await expect(predict(task, text)).rejects.toThrow(named("empty_text"));
  });

  it("names the text that has nothing in it, and labels none then", async () => {
    const readings = readingsOf(task.masks, { text: "one" }, { text: " " });
    await expect(engine.predict(task, readings)).rejects.toThrow("Input 1");
  });

  it("reads a pair as another text than its first half alone", async () => {
    const { predictions: alone } = await predict(task, "a premise");
    const { predictions: paired } = await predict(task, "a premise", "a conclusion");
    expect(paired[0]?.tokens).toBe((alone[0]?.tokens ?? 0) + 3);
    expect(paired[0]?.scores).not.toEqual(alone[0]?.scores);
  });

  it("cuts a long text and says so", async () => {
    const { predictions } = await predict(task, "word ".repeat(40));
    expect(predictions[0]).toMatchObject({ tokens: 32, truncated: true });
  });

  it("refuses a long text where none may be cut, and takes one that just fits", async () => {
    const ask = (words: number) =>
      engine.predict(task, readingsOf(task.masks, { text: "word ".repeat(words) }), { truncate: false });
    await expect(ask(31)).rejects.toThrow(named("text_too_long"));
    expect((await ask(30)).predictions[0]).toMatchObject({ tokens: 32, truncated: false });
  });

  it("gives the logits that the scores are made of", async () => {
    const [prediction] = (await predict(task, "a text")).predictions;
    expect(softmax(prediction?.logits ?? [])).toEqual(prediction?.scores);
  });

  it("labels texts under several profiles, each as it would alone", async () => {
    const input = { text: "a text" };
    const mixed = [
      ...readingsOf(masksOf(1), input),
      ...readingsOf(masksOf(2), input),
      ...readingsOf(masksOf(1), input),
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

  it("tells what each step took", async () => {
    const { timings } = await predict(task, "a text");
    expect(timings.encoder).toBeGreaterThan(0);
    for (const step of Object.values(timings)) expect(step).toBeGreaterThanOrEqual(0);
  });

  it("gives WASM memory's size", () => {
    expect(engine.heapBytes()).toBeGreaterThan(24 * 2 ** 20);
  });
});

it("has another id after one byte of the manifest is flipped, so that no row fits it", async () => {
  const { bundle } = await createEngine({ read: readBundle, ...modules });
  const name = new TextEncoder().encode('"name": "m').length;
  const read = altered("manifest.json", (bytes) =>
    flipped(bytes, new TextDecoder().decode(bytes).indexOf('"name"') + name),
  );
  expect((await createEngine({ read, ...modules })).bundle.id).not.toBe(bundle.id);
});
