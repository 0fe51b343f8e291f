import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../node/files.ts";
import { readEvents } from "../support/events.ts";
import { examplesOf } from "../support/examples.ts";
import { GUARDED_ROUTES, SERVICE_ROUTES } from "../support/guarded-routes.ts";
import { profilesOf, taskFor } from "../support/rows.ts";
import { type RunningWorker, secretOf, startWorker } from "../support/worker.ts";

const NDJSON = { "content-type": "application/x-ndjson" };

/** Words that occur in no file of the bundle and no response. */
const SECRET = "xylograph quokkas";

let worker: RunningWorker;
let task: ReturnType<typeof taskFor>;

beforeAll(async () => {
  task = taskFor(await readBundle("bundles/minilm-l6-v2"));
  worker = await startWorker({ vars: { PUBLIC_PREDICT: "false" } });
  await worker.push(task, profilesOf(3));
});
afterAll(() => worker.close());

/** Returns a value as text; bytes are decoded. */
const shown = (value: unknown): string =>
  Array.isArray(value) ? Buffer.from(value as number[]).toString("latin1") : String(value);

/** Returns the whole content of the database as text. */
async function dump(): Promise<string> {
  const { results } = await worker.db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'")
    .all<{ name: string }>();
  const tables = await worker.db.batch(results.map(({ name }) => worker.db.prepare(`SELECT * FROM "${name}"`)));
  const rows = tables
    .flatMap(({ results: content }) => content as Record<string, unknown>[])
    .map((row) => Object.values(row).map(shown).join("\t"))
    .join("\n");
  expect(rows).toContain("demo-000");
  return rows;
}

describe("texts", () => {
  it("are neither in the database nor in the logs, on any route, whether accepted or rejected", async () => {
    worker.harness.clearLogs();
    const task = { task: "demo", profile: "demo-000" };
    const body = { inputs: `${SECRET} again` };
    const line = `${JSON.stringify({ text: SECRET })}\n`;
    const examples = examplesOf(6).map(({ text, label }) => ({ text: `${text} ${SECRET}`, label }));
    const requests: [status: number, Promise<Response>][] = [
      [200, worker.predict({ ...task, ...body })],
      [200, worker.request("POST", "/v1/hf/demo/demo-000", { body })],
      [200, worker.request("POST", "/v1/tei/demo/demo-000/predict", { body })],
      [200, worker.request("POST", "/v1/predict/stream?task=demo&profile=demo-000", { body: line, headers: NDJSON })],
      [200, worker.request("POST", "/v1/profiles/demo/demo-001/learn", { body: { examples, epochs: 2 } })],
      [404, worker.predict({ ...task, ...body, profile: "nobody" })],
      [200, worker.predict({ ...task, inputs: `${SECRET} `.repeat(3000) })],
      [400, worker.predict(`{"inputs": "${SECRET}`)],
      [422, worker.predict({ ...task, inputs: [[SECRET]] })],
      [422, worker.predict({ ...task, ...body, [SECRET]: SECRET })],
      [401, worker.predict({ ...task, ...body }, { key: null })],
      [
        422,
        worker.request("POST", "/v1/profiles/demo/demo-002/learn", {
          body: { examples: [{ text: SECRET, label: SECRET }] },
        }),
      ],
    ];
    for (const [status, promise] of requests) {
      const response = await promise;
      const answer = await response.text();
      expect([response.status, answer.slice(0, 300)]).toEqual([status, expect.any(String)]);
      if (answer.startsWith("event")) expect(answer).toContain("event: learnt");
    }
    await expect.poll(() => worker.harness.getLogs().length).toBeGreaterThanOrEqual(requests.length);

    // Search for single words too: part of a text is a leak.
    for (const word of SECRET.split(" ")) {
      expect(JSON.stringify(worker.harness.getLogs())).not.toContain(word);
      expect(await dump()).not.toContain(word);
    }
  });
});

describe("a leak", () => {
  it.each(Object.keys(GUARDED_ROUTES))(
    "of a profile token only permits predictions under that profile: %s",
    async (name) => {
      const made = await worker.request("POST", "/v1/profiles/demo/demo-000/token", { body: {} });
      const { token } = await made.json<{ token: string }>();
      const call = async (profile: string) => {
        const [method, path, options] = GUARDED_ROUTES[name]?.request("demo", profile, task) ?? ["", ""];
        return await worker.request(method, path, { ...options, key: token });
      };
      const before = await dump();
      const [own, other] = [await call("demo-000"), await call("demo-001")];
      if (
        GUARDED_ROUTES[name]?.scope === "predict" &&
        ![...SERVICE_ROUTES, "get /v1/tasks", "post /v1/fanout"].includes(name)
      ) {
        expect(own.status).toBe(200);
        expect([other.status, await other.text()]).toEqual([403, expect.stringContaining("token_other_profile")]);
      } else {
        expect([own.status, other.status]).toEqual([401, 401]);
        expect(await dump()).toBe(before);
      }
    },
  );

  it("of the database reveals no key: it has hashes of API keys and no signing keys", async () => {
    const key = await worker.makeKey();
    const rows = await dump();
    expect(rows).not.toContain(secretOf(key));
    const { results } = await worker.db.prepare("SELECT * FROM keys").all<Record<string, unknown>>();
    for (const row of results) {
      for (const value of Object.values(row)) {
        const bytes = Array.isArray(value) ? Buffer.from(value as number[]) : Buffer.from(String(value));
        for (const secret of [bytes.toString("base64url"), bytes.toString("latin1")]) {
          const response = await worker.get("/v1/tasks", { key: encodeURI(`xpk_${row.id}_${secret}`) });
          expect(response.status).toBe(401);
        }
      }
    }
  });

  it("of a learning's response, an export or a list of profiles reveals no example text", async () => {
    const examples = examplesOf(6).map(({ text, label }) => ({ text: `${text} ${SECRET}`, label }));
    const learnt = await readEvents(
      await worker.request("POST", "/v1/profiles/demo/demo-002/learn", { body: { examples, epochs: 2 } }),
    );
    expect(learnt.at(-1)?.event).toBe("learnt");
    const responses = [JSON.stringify(learnt)];
    for (const path of [
      "profiles/demo",
      "profiles/demo/demo-002",
      "profiles/demo/demo-002/history",
      "tasks/demo/export",
    ])
      responses.push(await (await worker.get(`/v1/${path}`)).text());
    expect(responses.join()).toContain("demo-002");
    for (const word of SECRET.split(" ")) expect(responses.join()).not.toContain(word);
  });
});
