import { mkdtemp, rm } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { createPush } from "../../../src/storage/push.ts";
import { isLongForm } from "../../support/long-form.ts";
import { profilesOf, taskFor } from "../../support/rows.ts";
import { databaseIn, openBeside, type ServeProcess, serveProcess } from "../../support/server.ts";

const CONNECTIONS = 1000;
const SECONDS = isLongForm ? 60 : 5;

const WORKERS = 2;
const PROFILES = 50;

/** Codes that a server at its limits may answer with. */
const AT_CAPACITY = ["overloaded"];

let folder: string;
let server: ServeProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-connections-"));
  const { client, db } = await openBeside(databaseIn(folder));
  await createPush(db)(taskFor(await readBundle(DEFAULT_BUNDLE)), profilesOf(PROFILES));
  client.close();
  const env = { XPEFT_PUBLIC_PREDICT: "true", XPEFT_RATE_LIMIT: "0" };
  server = await serveProcess({ folder, args: ["--workers", String(WORKERS)], env });
});
afterAll(async () => {
  await server?.stop("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Asks for a prediction over a connection of an agent. Returns the status and the body. */
async function predict(agent: Agent, profile: string): Promise<{ status: number; body: string }> {
  const body = JSON.stringify({ task: "demo", profile, inputs: "A text", logits: true });
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const sent = request(`${server.url}/v1/predict`, { method: "POST", agent, headers });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve).once("error", reject);
  });
  sent.end(body);
  const answer = await response;
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}

const predictionsOf = (body: string): string => JSON.stringify(JSON.parse(body).predictions[0].logits);

it(`answers ${CONNECTIONS} connections at once for ${SECONDS} s: rightly, or that it is at capacity`, async () => {
  const one = new Agent({ keepAlive: true });
  const right = new Map<string, string>();
  for (const { id } of profilesOf(PROFILES)) right.set(id, predictionsOf((await predict(one, id)).body));

  const counts = { right: 0, atCapacity: 0 };
  const wrong: string[] = [];
  const until = Date.now() + SECONDS * 1000;
  async function connect(number: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const profile = `demo-${String(number % PROFILES).padStart(3, "0")}`;
    do {
      try {
        const { status, body } = await predict(agent, profile);
        if (status === 200 && predictionsOf(body) === right.get(profile)) counts.right++;
        else if (AT_CAPACITY.includes(JSON.parse(body).code)) counts.atCapacity++;
        else wrong.push(body);
      } catch (error) {
        wrong.push(String(error));
      }
    } while (Date.now() < until);
    agent.destroy();
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => connect(number)));
  expect(wrong).toEqual([]);
  expect(counts.right).toBeGreaterThan(CONNECTIONS);

  const { status } = await fetch(`${server.url}/healthz`);
  expect(status).toBe(200);
  one.destroy();
});
