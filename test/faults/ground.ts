import { readBundle } from "../../node/files.ts";
import { readEvents } from "../support/events.ts";
import { examplesOf } from "../support/examples.ts";
import { masksOf, profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";
import type { Load } from "./faults.ts";

const TEXTS = ["Senate passes bill after long night", "Ten ways to cook rice", "The river is high today."];
const LONG = "The committee met again, and nobody was surprised by that. ".repeat(36);
const PROFILES = profilesOf(20);

/** The profile that is written again and again, its masks in turn. */
const WRITTEN = "written";
const TURNS = [masksOf(100), masksOf(101)] as const;

const turnAt = (generation: number) => TURNS[generation % 2] ?? TURNS[0];

/** What an answer is made of, to be compared bit for bit. */
interface Answer {
  readonly predictions: readonly { readonly logits: Record<string, number>; readonly generation: number }[];
}

/** A Worker with profiles, and what is right to answer for each. */
export interface Ground {
  readonly worker: RunningWorker;
  readonly token: string;
  /** A key that ends tomorrow. */
  readonly key: string;
  /** The last generation of the written profile that was acknowledged. */
  acknowledged: number;
}

/** What is right: logits by who is asked, and what. */
export type Right = ReadonlyMap<string, string>;

const keyOf = (profile: string, text: string) => `${profile}\n${text}`;

/** @param main the Worker's entry, by which it can be broken; nothing of it is loaded yet */
export async function startGround(main: string, broken: object): Promise<Ground> {
  const vars = { CACHE_TTL_SECONDS: "1", BROKEN: JSON.stringify(broken) };
  const worker = await startWorker({ main, vars });
  const task = taskFor(await readBundle("bundles/minilm-l6-v2"), { maxTokens: 512 });
  await worker.push(task, [...PROFILES, { id: WRITTEN, masks: turnAt(1), labelBias: null }]);
  const key = await worker.makeKey({ expiresAt: new Date(Date.now() + 24 * 60 * 60 * 1000) });
  return { worker, token: "", key, acknowledged: 1 };
}

/** Gives a token of a profile, as a Worker that works makes it. */
export async function withToken(ground: Ground): Promise<Ground> {
  const asked = { body: { ttlSeconds: 24 * 60 * 60 } };
  const { token } = await (await ground.worker.request("POST", "/v1/profiles/demo/demo-000/token", asked)).json<{
    token: string;
  }>();
  return { ...ground, token };
}

async function logitsOf(response: Response): Promise<string> {
  const { predictions } = await response.json<Answer>();
  return JSON.stringify(predictions[0]?.logits);
}

const predict = ({ worker }: Ground, profile: string, inputs: string, key?: string) =>
  worker.predict({ task: "demo", profile, inputs, logits: true }, { key: key ?? null });

/** Asks for everything that is asked for later, and keeps the answers. */
export async function whatIsRight(ground: Ground): Promise<Right> {
  const right = new Map<string, string>();
  for (const { id } of PROFILES) {
    for (const text of [...TEXTS, ...(id === "demo-000" ? [LONG] : [])])
      right.set(keyOf(id, text), await logitsOf(await predict(ground, id, text)));
  }
  return right;
}

/** What a request came to: `ok`, `wrong` where it was answered with something else than what is right, a code, or `no answer` and why. */
export type Outcome = string;

const codeOf = async (response: Response): Promise<Outcome> =>
  (await response.json<{ code?: string }>()).code ?? "wrong";

const pick = <One>(all: readonly One[]): One => all[Math.floor(Math.random() * all.length)] as One;

async function asked(ground: Ground, right: Right, profile: string, text: string, key?: string): Promise<Outcome> {
  const response = await predict(ground, profile, text, key);
  if (response.status !== 200) return await codeOf(response);
  return (await logitsOf(response)) === right.get(keyOf(profile, text)) ? "ok" : "wrong";
}

/** Writes the next generation, if the row is at the one that was acknowledged last. */
async function write(ground: Ground): Promise<Outcome> {
  const masks = Buffer.from(turnAt(ground.acknowledged + 1)).toString("base64");
  const headers = { "if-match": `"${ground.acknowledged}"` };
  const response = await ground.worker.request("PUT", `/v1/profiles/demo/${WRITTEN}`, { body: { masks }, headers });
  const { generation, code } = await response.json<{ generation: number; code?: string }>();
  // An earlier try was done though its answer was an error.
  const wasDone = code === "generation_mismatch" && generation === ground.acknowledged + 1;
  if (response.status !== 200 && !wasDone) return code ?? "wrong";
  const isNext = generation === ground.acknowledged + 1;
  ground.acknowledged = generation;
  return isNext ? "ok" : "wrong";
}

/** Learns, and writes nothing. */
async function learn({ worker }: Ground): Promise<Outcome> {
  const body = { examples: examplesOf(6), start: "default", epochs: 1, dryRun: true };
  const response = await worker.request("POST", "/v1/profiles/demo/learner/learn", { body });
  if (response.status !== 200) return await codeOf(response);
  const last = (await readEvents(response)).at(-1);
  return last?.event === "learnt" ? "ok" : String(last?.data.code ?? "wrong");
}

/** One request of each kind of load. */
export const REQUESTS: Readonly<Record<Load, (ground: Ground, right: Right) => Promise<Outcome>>> = {
  profiles: (ground, right) => asked(ground, right, pick(PROFILES).id, pick(TEXTS)),
  tokens: (ground, right) => asked(ground, right, "demo-000", pick(TEXTS), ground.token),
  "long texts": (ground, right) => asked(ground, right, "demo-000", LONG),
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
 * Whether the written profile is as the last acknowledged write left it, or as one that nobody acknowledged, and goes on from there.
 */
export async function isWhole(ground: Ground): Promise<boolean> {
  const response = await ground.worker.get(`/v1/profiles/demo/${WRITTEN}`);
  if (response.status !== 200) return false;
  const { generation, masks } = await response.json<{ generation: number; masks: string }>();
  const mayBe = [ground.acknowledged, ground.acknowledged + 1].includes(generation);
  ground.acknowledged = generation;
  return mayBe && Buffer.from(turnAt(generation)).toString("base64") === masks;
}
