import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withWorker } from "../../bench/isolate.ts";
import { type Ground, makeGround } from "../../bench/peers/ground.ts";
import { type Peer, PeerMissing } from "../../bench/peers/peer.ts";
import { loraPeer, nativePeer, transformersPeer, workerPeer } from "../../bench/peers/peers.ts";
import { runToEnd } from "../../bench/peers/process.ts";
import { textOf } from "../../bench/texts.ts";
import { withoutPython } from "../support/python.ts";

const TOKENS = 16;
const text = textOf(TOKENS);

describe("the servers that are measured beside the Worker", () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await makeGround(2);
  });
  afterAll(() => ground.close());

  /** The answers for both profiles, from a peer that is running. */
  async function answers(peer: Peer) {
    const found = [];
    for (const { id } of ground.profiles) found.push(await peer.ask(id, text));
    expect(await peer.residentBytes()).toBeGreaterThan(20e6);
    expect(peer.bytesPerProfile).toBeGreaterThan(0);
    return found;
  }

  /** The same from one that is started for it. */
  async function answersOf(starting: Promise<Peer>) {
    const peer = await starting;
    try {
      return await answers(peer);
    } finally {
      await peer.close();
    }
  }

  it("give through native ONNX Runtime what the Worker gives", async () => {
    const native = await answersOf(nativePeer(ground));
    const worker = await withWorker(async (running) => answers(await workerPeer(running, ground)));
    for (const [place, { label, score, tokens }] of native.entries()) {
      expect(worker[place]?.label).toBe(label);
      // Another build of ONNX Runtime sums in another order.
      expect(worker[place]?.score).toBeCloseTo(score, 1);
      expect(worker[place]?.tokens).toBe(tokens);
      expect(tokens).toBe(TOKENS);
    }
    expect(native[0]?.score).not.toBe(native[1]?.score);
  });

  it.skipIf(withoutPython)("give one answer whatever the profile through transformers.js", async () => {
    const [first, second] = await answersOf(transformersPeer(ground));
    expect(first).toEqual(second);
    expect(first?.tokens).toBe(TOKENS);
  });

  it.skipIf(withoutPython)("swap LoRA adapters", async () => {
    const [first, second] = await answersOf(loraPeer(ground));
    expect(first?.tokens).toBe(TOKENS);
    expect(first?.score).not.toBe(second?.score);
  });

  it("say which profile they do not know", async () => {
    const native = await nativePeer(ground);
    try {
      await expect(native.ask("nobody", text)).rejects.toThrow(/500.*There is no profile.*nobody/);
    } finally {
      await native.close();
    }
  });
});

describe("a program that cannot run", () => {
  it("is missing if it lacks a package", async () => {
    const lacking = runToEnd({
      file: process.execPath,
      args: ["--input-type=module", "-e", "import 'no-such-package'"],
    });
    await expect(lacking).rejects.toThrow(PeerMissing);
    await expect(lacking).rejects.toThrow("no-such-package");
  });

  it("has failed for any other reason", async () => {
    const failing = runToEnd({ file: process.execPath, args: ["-e", "throw new Error('no such luck')"] });
    await expect(failing).rejects.not.toThrow(PeerMissing);
    await expect(failing).rejects.toThrow("no such luck");
  });
});
