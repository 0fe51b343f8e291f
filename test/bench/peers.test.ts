import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Peer } from "../../bench/peers/peer.ts";
import { startLoraPeer, startNativePeer, startTransformersPeer, startWorkerPeer } from "../../bench/peers/peers.ts";
import { createWorkload, type Workload } from "../../bench/peers/workload.ts";
import { MissingDependency, runProgram } from "../../bench/programs.ts";
import { textOf } from "../../bench/texts.ts";
import { withWorker } from "../../bench/with-worker.ts";
import { isLongForm } from "../support/long-form.ts";
import { missingPython, python } from "../support/python.ts";

const TOKENS = 16;
const text = textOf(TOKENS);

describe.skipIf(!isLongForm)("a peer", () => {
  let workload: Workload;
  beforeAll(async () => {
    workload = await createWorkload(2);
  });
  afterAll(() => workload.close());

  /** Returns a running peer's predictions for both profiles. */
  async function predictBoth(peer: Peer) {
    const predictions = [];
    for (const { id } of workload.profiles) predictions.push(await peer.predict(id, text));
    expect(await peer.residentBytes()).toBeGreaterThan(20e6);
    expect(peer.bytesPerProfile).toBeGreaterThan(0);
    return predictions;
  }

  /** Starts a peer and returns the same. */
  async function startAndPredict(starting: Promise<Peer>) {
    const peer = await starting;
    try {
      return await predictBoth(peer);
    } finally {
      await peer.close();
    }
  }

  it("predicts by native ONNX Runtime what the Worker predicts", async () => {
    const native = await startAndPredict(startNativePeer(workload));
    const worker = await withWorker(async (running) => predictBoth(await startWorkerPeer(running, workload)));
    for (const [index, { label, score, tokens }] of native.entries()) {
      expect(worker[index]?.label).toBe(label);
      // Different builds of ONNX Runtime sum in different orders.
      expect(worker[index]?.score).toBeCloseTo(score, 1);
      expect(worker[index]?.tokens).toBe(tokens);
      expect(tokens).toBe(TOKENS);
    }
    expect(native[0]?.score).not.toBe(native[1]?.score);
  });

  it.skipIf(missingPython)("predicts the same for all profiles by transformers.js", async () => {
    const [first, second] = await startAndPredict(startTransformersPeer(workload));
    expect(first).toEqual(second);
    expect(first?.tokens).toBe(TOKENS);
  });

  it.skipIf(missingPython)("swaps LoRA adapters", async () => {
    const [first, second] = await startAndPredict(startLoraPeer(workload));
    expect(first?.tokens).toBe(TOKENS);
    expect(first?.score).not.toBe(second?.score);
  });

  it("reports an unknown profile", async () => {
    const native = await startNativePeer(workload);
    try {
      await expect(native.predict("nobody", text)).rejects.toThrow(/500.*There is no profile.*nobody/);
    } finally {
      await native.close();
    }
  });
});

describe("a program that cannot run", () => {
  it("is a missing peer if it lacks a package", async () => {
    const missing = runProgram({
      file: process.execPath,
      args: ["--input-type=module", "-e", "import 'no-such-package'"],
    });
    await expect(missing).rejects.toThrow(MissingDependency);
    await expect(missing).rejects.toThrow("no-such-package");
  });

  it.skipIf(missingPython || !isLongForm)("is a missing peer if it lacks the PLM", async () => {
    const script = `import os; os.environ["HF_HUB_OFFLINE"] = "1"
from xpeft.plm import plm_folder; plm_folder("nobody/no-such-plm")`;
    const missing = runProgram({ file: python, args: ["-c", script], cwd: "training" });
    await expect(missing).rejects.toThrow(MissingDependency);
    await expect(missing).rejects.toThrow("nobody/no-such-plm");
  });

  it("is an error for any other reason", async () => {
    const failing = runProgram({ file: process.execPath, args: ["-e", "throw new Error('no such luck')"] });
    await expect(failing).rejects.not.toThrow(MissingDependency);
    await expect(failing).rejects.toThrow("no such luck");
  });
});
