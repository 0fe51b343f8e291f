import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { missingPython, python } from "../../test/support/python.ts";
import { MissingDependency, type Program, runProgram, startServer } from "../programs.ts";
import { type BenchWorker, databaseBytes } from "../with-worker.ts";
import type { Peer, Prediction } from "./peer.ts";
import { residentBytes, workerdBytes } from "./resident-memory.ts";
import type { Workload } from "./workload.ts";

/** The exported PLM, which stays for the next run. */
const MODEL = ".cache/bench/all-MiniLM-L6-v2";
const TRAINING = "training";

async function jsonOf<Body>(response: Response): Promise<Body> {
  if (!response.ok) throw new Error(`A peer answered ${response.status}: ${await response.text()}`);
  return await response.json<Body>();
}

/** Pushes the workload to the Worker. */
export async function startWorkerPeer(worker: BenchWorker, { task, profiles }: Workload): Promise<Peer> {
  const before = await databaseBytes(worker.db);
  await worker.push(task, profiles);
  return {
    name: "worker",
    bytesPerProfile: ((await databaseBytes(worker.db)) - before) / profiles.length,
    manyProfiles: true,
    async predict(profile, text) {
      // Without a key, because the other peers have none.
      const response = await worker.predict({ task: task.name, profile, inputs: text }, { key: null });
      const { predictions } = await jsonOf<{ predictions: [Prediction] }>(response);
      return predictions[0];
    },
    residentBytes: workerdBytes,
    close: async () => {},
  };
}

async function startServerPeer(
  program: Program,
  properties: Pick<Peer, "name" | "bytesPerProfile" | "manyProfiles">,
): Promise<Peer> {
  const { url, pid, close } = await startServer(program);
  const headers = { "content-type": "application/json" };
  return {
    ...properties,
    async predict(profile, text) {
      const body = JSON.stringify({ profile, text });
      return await jsonOf(await fetch(`${url}/predict`, { method: "POST", headers, body }));
    },
    residentBytes: () => residentBytes(pid),
    close,
  };
}

/** Starts native ONNX Runtime in Node with the rest of the Worker's code. */
export function startNativePeer({ folder, task }: Workload): Promise<Peer> {
  const program = { file: process.execPath, args: ["bench/peers/native-server.ts", folder] };
  return startServerPeer(program, { name: "native", bytesPerProfile: task.masks.length, manyProfiles: true });
}

function pythonModule(module: string, ...args: string[]): Program {
  if (missingPython !== undefined) throw new MissingDependency(missingPython);
  return { file: python, args: ["-m", module, ...args], cwd: TRAINING };
}

/** Starts transformers.js in Node over the plain PLM, which needs a model for each profile. */
export async function startTransformersPeer({ folder }: Workload): Promise<Peer> {
  if (!existsSync(MODEL)) await runProgram(pythonModule("bench.peers.export", resolve(MODEL)));
  const { size } = await stat(join(MODEL, "onnx/model_quantized.onnx"));
  const program = { file: process.execPath, args: ["bench/peers/transformers-server.ts", folder, MODEL] };
  return await startServerPeer(program, { name: "transformersjs", bytesPerProfile: size, manyProfiles: false });
}

/** Starts PyTorch and PEFT's LoRA behind FastAPI, with an adapter for each profile, read from disk if not in memory. */
export async function startLoraPeer({ folder }: Workload): Promise<Peer> {
  const { bytes } = JSON.parse(await runProgram(pythonModule("bench.peers.adapters", folder))) as { bytes: number };
  const properties = { name: "lora", bytesPerProfile: bytes, manyProfiles: true };
  return await startServerPeer(pythonModule("bench.peers.server", folder), properties);
}

const STARTERS = { native: startNativePeer, transformersjs: startTransformersPeer, lora: startLoraPeer };

/** Running peers, and why others could not start. */
export interface StartedPeers {
  readonly peers: readonly Peer[];
  readonly missing: readonly string[];
}

/** Starts all peers beside the Worker at once, passes them to `use`, and stops them. */
export async function withPeers<Result>(
  workload: Workload,
  use: (started: StartedPeers) => Promise<Result>,
): Promise<Result> {
  const names = Object.keys(STARTERS);
  const starts = await Promise.allSettled(Object.values(STARTERS).map((start) => start(workload)));
  const peers = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  try {
    const missing = starts.flatMap((start, index) => {
      if (start.status === "fulfilled") return [];
      if (start.reason instanceof MissingDependency) return [`${names[index]}: ${start.reason.message}`];
      throw start.reason;
    });
    return await use({ peers, missing });
  } finally {
    for (const peer of peers) await peer.close();
  }
}
