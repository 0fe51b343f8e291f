import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadEngine } from "../../node/engine.ts";
import { CommandError } from "../../node/errors.ts";
import { DEFAULT_BUNDLE, DEMO_FOLDER, readProfilesFile, readTaskFile } from "../../node/files.ts";
import { loadNativeRuntime } from "../../node/native-runtime.ts";
import { readManifest } from "../../src/bundle/files.ts";
import { createEncoder } from "../../src/model/encoder.ts";
import { allocateAdapters } from "../../src/model/merge.ts";
import type { Engine } from "../../src/serving/engine.ts";
import golden from "../fixtures/golden.json" with { type: "json" };
import { readBundleFile } from "../support/default-bundle.ts";
import { examplesOf } from "../support/examples.ts";
import { RUNTIMES } from "../support/onnx-runtimes.ts";
import { masksOf, taskFor } from "../support/rows.ts";

describe("the native engine", () => {
  let native: Engine;

  beforeAll(async () => {
    native = await loadEngine(DEFAULT_BUNDLE, "native");
  });

  it("gives ONNX Runtime Web's labels, and its scores but for rounding to int8", async () => {
    const web = await loadEngine(DEFAULT_BUNDLE, "onnxruntime");
    const task = { ...(await readTaskFile(join(DEMO_FOLDER, "inbox/task.json"), web.bundle)), generation: 1 };
    const profiles = await readProfilesFile(join(DEMO_FOLDER, "inbox/profiles.ndjson"), task, web.bundle);
    const inputs = profiles.slice(0, 10).flatMap((parts) => golden.texts.map((text) => ({ parts, input: { text } })));
    const [expected, found] = await Promise.all([web.predict(task, inputs), native.predict(task, inputs)]);
    expect([native.name, found.predictions.length]).toEqual(["native", inputs.length]);
    // Both round activations, in another order of sums: by at most 0.030 here, by 0.0032 on average.
    const [greatest, average] = [0.06, 0.005];
    const gaps = found.predictions.map(({ label, scores }, place) => {
      const other = expected.predictions[place];
      const [best = 0, second = 0] = other?.scores.toSorted((one, two) => two - one) ?? [];
      // A tie may be broken either way.
      if (best - second > 2 * greatest) expect(label).toBe(other?.label);
      return Math.max(...scores.map((score, at) => Math.abs(score - (other?.scores[at] ?? Number.NaN))));
    });
    expect(Math.max(...gaps)).toBeLessThan(greatest);
    expect(gaps.reduce((sum, gap) => sum + gap) / gaps.length).toBeLessThan(average);
  });

  it("learns a profile, with the same bits each time", async () => {
    const task = { ...taskFor(native.bundle), generation: 1 };
    const examples = examplesOf(6).map(({ text, label }) => ({ input: { text }, label }));
    const starts = [{ profile: null, parts: { masks: masksOf(0), labelBias: null } }] as const;
    const hooks = { onProgress: async () => {}, signal: new AbortController().signal, budgetSeconds: 60 };
    const learnt = await native.learn(task, { examples, starts, passes: 1 }, hooks);
    expect(learnt.leftOut.learnt.loss).toBeLessThan(learnt.leftOut.start.loss);
    expect(await native.learn(task, { examples, starts, passes: 1 }, hooks)).toEqual(learnt);
  });
});

it.each(RUNTIMES)("a session of $name has its own copy of the bundle's files", async (onnx) => {
  const { manifest } = await readManifest(readBundleFile);
  const files: Uint8Array[] = [];
  const read = async (path: string) => {
    const bytes = await readBundleFile(path);
    if (bytes) files.push(bytes);
    return bytes;
  };
  const text = { ids: Int32Array.of(101, 2314, 102), typeIds: new Int32Array(3) };
  const [first, second] = [
    await createEncoder(onnx, manifest, readBundleFile),
    await createEncoder(onnx, manifest, read),
  ];
  expect(files).toHaveLength(3);
  for (const file of files) file.fill(0);
  const adapters = () => allocateAdapters(manifest);
  expect(await second.runToResidual(text, adapters)).toEqual(await first.runToResidual(text, adapters));
});

describe("a machine without onnxruntime-node", () => {
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error("no such thing"), { code }));

  it("is told how to install it", async () => {
    const error = await loadNativeRuntime(1, failing("ERR_MODULE_NOT_FOUND")).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({
      message: "The native engine needs onnxruntime-node, which is not installed.",
      hint: "npm install onnxruntime-node",
    });
  });

  it("is told why it cannot be loaded, if it has no build for the machine", async () => {
    const error = await loadNativeRuntime(1, failing("ERR_DLOPEN_FAILED")).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toMatchObject({ message: expect.stringContaining("no such thing"), hint: expect.any(String) });
  });
});
