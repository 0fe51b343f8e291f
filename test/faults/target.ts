import { readBundle } from "../../node/files.ts";
import type { WorkerEngine } from "../support/engine-choice.ts";
import { readEvents } from "../support/events.ts";
import { examplesOf } from "../support/examples.ts";
import { masksOf, profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";
import type { Load } from "./faults.ts";

const TEXTS = ["Senate passes bill after long night", "Ten ways to cook rice", "The river is high today."];
const LONG = "The committee met again, and nobody was surprised by that. ".repeat(36);
const PROFILES = profilesOf(20);

/** The profile that writes replace, alternating between two masks. */
const WRITTEN = "written";
const MASKS = [masksOf(100), masksOf(101)] as const;

const masksAt = (generation: number) => MASKS[generation % 2] ?? MASKS[0];

/** The parts of an answer that are compared bit for bit. */
interface Answer {
  readonly predictions: readonly { readonly logits: Record<string, number>; readonly generation: number }[];
}

/** A Worker with profiles, and its credentials. */
export interface Target {
  readonly worker: RunningWorker;
  readonly token: string;
  /** A key that expires tomorrow. */
  readonly key: string;
  /** The last acknowledged generation of the written profile. */
  acknowledged: number;
}

/** Correct logits by profile and text. */
export type CorrectAnswers = ReadonlyMap<string, string>;

const keyOf = (profile: string, text: string) => `${profile}\n${text}`;

/** Starts a Worker that has loaded nothing yet. @param main the entry that can break dependencies */
export async function startTarget(main: string, broken: object, engine: WorkerEngine = "kernels"): Promise<Target> {
  const ENGINE = engine === "kernels" ? "auto" : engine;
  const vars = { CACHE_TTL_SECONDS: "1", BROKEN: JSON.stringify(broken), ENGINE };
  const worker = await startWorker({ main, vars });
  const task = taskFor(await readBundle("bundles/minilm-l6-v2"), { maxTokens: 512 });
  await worker.push(task, [...PROFILES, { id: WRITTEN, masks: masksAt(1), labelBias: null }]);
  const key = await worker.makeKey({ expiresAt: new Date(Date.now() + 24 * 60 * 60 * 1000) });
  return { worker, token: "", key, acknowledged: 1 };
}

/** Adds a profile token, created by a working Worker. */
export async function withToken(target: Target): Promise<Target> {
  const options = { body: { ttlSeconds: 24 * 60 * 60, carry: "all" } };
  const { token } = await (await target.worker.request("POST", "/v1/profiles/demo/demo-000/token", options)).json<{
    token: string;
  }>();
  return { ...target, token };
}

async function logitsOf(response: Response): Promise<string> {
  const { predictions } = await response.json<Answer>();
  return JSON.stringify(predictions[0]?.logits);
}

const predict = ({ worker }: Target, profile: string, inputs: string, key?: string) =>
  worker.predict({ task: "demo", profile, inputs, logits: true }, { key: key ?? null });

/** Returns the correct answers to all later predictions. */
export async function collectAnswers(target: Target): Promise<CorrectAnswers> {
  const correct = new Map<string, string>();
  for (const { id } of PROFILES) {
    for (const text of [...TEXTS, ...(id === "demo-000" ? [LONG] : [])])
      correct.set(keyOf(id, text), await logitsOf(await predict(target, id, text)));
  }
  return correct;
}

/** A request's outcome: `ok`, `wrong` for an incorrect answer, an error code, or `no answer` with the reason. */
export type Outcome = string;

const codeOf = async (response: Response): Promise<Outcome> =>
  (await response.json<{ code?: string }>()).code ?? "wrong";

const pick = <One>(all: readonly One[]): One => all[Math.floor(Math.random() * all.length)] as One;

async function predictOutcome(
  target: Target,
  correct: CorrectAnswers,
  profile: string,
  text: string,
  key?: string,
): Promise<Outcome> {
  const response = await predict(target, profile, text, key);
  if (response.status !== 200) return await codeOf(response);
  return (await logitsOf(response)) === correct.get(keyOf(profile, text)) ? "ok" : "wrong";
}

/** Writes the next generation, on the condition that the row is at the last acknowledged one. */
async function write(target: Target): Promise<Outcome> {
  const masks = Buffer.from(masksAt(target.acknowledged + 1)).toString("base64");
  const headers = { "if-match": `"${target.acknowledged}"` };
  const response = await target.worker.request("PUT", `/v1/profiles/demo/${WRITTEN}`, { body: { masks }, headers });
  const { generation, code } = await response.json<{ generation: number; code?: string }>();
  // An earlier attempt was written although it returned an error.
  const wasDone = code === "generation_mismatch" && generation === target.acknowledged + 1;
  if (response.status !== 200 && !wasDone) return code ?? "wrong";
  const isNext = generation === target.acknowledged + 1;
  target.acknowledged = generation;
  return isNext ? "ok" : "wrong";
}

/** Learns in a dry run. */
async function learn({ worker }: Target): Promise<Outcome> {
  const body = { examples: examplesOf(6), start: "default", epochs: 1, dryRun: true };
  const response = await worker.request("POST", "/v1/profiles/demo/learner/learn", { body });
  if (response.status !== 200) return await codeOf(response);
  const last = (await readEvents(response)).at(-1);
  return last?.event === "learnt" ? "ok" : String(last?.data.code ?? "wrong");
}

/** One request of each kind of load. */
export const REQUESTS: Readonly<Record<Load, (target: Target, correct: CorrectAnswers) => Promise<Outcome>>> = {
  profiles: (target, correct) => predictOutcome(target, correct, pick(PROFILES).id, pick(TEXTS)),
  tokens: (target, correct) => predictOutcome(target, correct, "demo-000", pick(TEXTS), target.token),
  "long texts": (target, correct) => predictOutcome(target, correct, "demo-000", LONG),
  writes: write,
  async keys({ worker, key }) {
    const response = await worker.get("/v1/tasks", { key });
    return response.status === 200 ? "ok" : await codeOf(response);
  },
  learnings: learn,
  async health({ worker }) {
    const response = await worker.get("/healthz");
    return response.status === 200 ? "ok" : await codeOf(response);
  },
};

/**
 * Whether the written profile has the content of the last acknowledged write, or of one unacknowledged write after it.
 * Later writes continue from the generation found.
 */
export async function writesAreStored(target: Target): Promise<boolean> {
  const response = await target.worker.get(`/v1/profiles/demo/${WRITTEN}`);
  if (response.status !== 200) return false;
  const { generation, masks } = await response.json<{ generation: number; masks: string }>();
  const isExpected = [target.acknowledged, target.acknowledged + 1].includes(generation);
  target.acknowledged = generation;
  return isExpected && Buffer.from(masksAt(generation)).toString("base64") === masks;
}
