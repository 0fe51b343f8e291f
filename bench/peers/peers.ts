import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { python, withoutPython } from "../../test/support/python.ts";
import type { BenchWorker } from "../isolate.ts";
import type { Ground } from "./ground.ts";
import { residentBytes, workerdBytes } from "./memory.ts";
import { type Answer, type Peer, PeerMissing } from "./peer.ts";
import { type Program, runToEnd, startServer } from "./process.ts";

/** Where an exported PLM is kept from run to run. */
const MODEL = ".cache/bench/all-MiniLM-L6-v2";
const TRAINING = "training";

async function answered<Body>(response: Response): Promise<Body> {
  if (!response.ok) throw new Error(`A peer answered ${response.status}: ${await response.text()}`);
  return await response.json<Body>();
}

/** The Worker, in workerd, which is to have the ground's task. */
export async function workerPeer(worker: BenchWorker, { task, profiles }: Ground): Promise<Peer> {
  const databaseBytes = async () => (await worker.db.prepare("SELECT 1").run()).meta.size_after;
  const before = await databaseBytes();
  await worker.push(task, profiles);
  return {
    name: "worker",
    bytesPerProfile: ((await databaseBytes()) - before) / profiles.length,
    manyProfiles: true,
    async ask(profile, text) {
      // Without a key, as the other peers have none.
      const response = await worker.predict({ task: task.name, profile, inputs: text }, { key: null });
      const { predictions } = await answered<{ predictions: [Answer] }>(response);
      return predictions[0];
    },
    residentBytes: workerdBytes,
    close: async () => {},
  };
}

async function serverPeer(
  program: Program,
  parts: Pick<Peer, "name" | "bytesPerProfile" | "manyProfiles">,
): Promise<Peer> {
  const { url, pid, close } = await startServer(program);
  return {
    ...parts,
    async ask(profile, text) {
      const headers = { "content-type": "application/json" };
      return await answered(
        await fetch(`${url}/predict`, { method: "POST", headers, body: JSON.stringify({ profile, text }) }),
      );
    },
    residentBytes: () => residentBytes(pid),
    close,
  };
}

/** Native ONNX Runtime in Node, the rest as in the Worker. */
export function nativePeer({ folder, task }: Ground): Promise<Peer> {
  const program = { file: process.execPath, args: ["bench/peers/native-server.ts", folder] };
  return serverPeer(program, { name: "native", bytesPerProfile: task.masks.length, manyProfiles: true });
}

function training(module: string, ...args: string[]): Program {
  if (withoutPython !== undefined) throw new PeerMissing(withoutPython);
  return { file: python, args: ["-m", module, ...args], cwd: TRAINING };
}

/** transformers.js in Node over the plain PLM: a model for each profile. */
export async function transformersPeer({ folder }: Ground): Promise<Peer> {
  if (!existsSync(MODEL)) await runToEnd(training("bench.peers.export", resolve(MODEL)));
  const { size } = await stat(join(MODEL, "onnx/model_quantized.onnx"));
  const program = { file: process.execPath, args: ["bench/peers/transformers-server.ts", folder, MODEL] };
  return await serverPeer(program, { name: "transformersjs", bytesPerProfile: size, manyProfiles: false });
}

/** PyTorch and PEFT's LoRA behind FastAPI: an adapter for each profile, read from disk when it is not in memory. */
export async function loraPeer({ folder }: Ground): Promise<Peer> {
  const { bytes } = JSON.parse(await runToEnd(training("bench.peers.adapters", folder))) as { bytes: number };
  const parts = { name: "lora", bytesPerProfile: bytes, manyProfiles: true };
  return await serverPeer(training("bench.peers.server", folder), parts);
}

/** All peers of the Worker, by name. */
export const OTHERS: Readonly<Record<string, (ground: Ground) => Promise<Peer>>> = {
  native: nativePeer,
  transformersjs: transformersPeer,
  lora: loraPeer,
};
