import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_FOLDER, readBundle } from "../../../../node/files.ts";
import { profilesOf, taskFor } from "../../../support/rows.ts";
import { type RequestOptions, type RunningWorker, startWorker } from "../../../support/worker.ts";

const NDJSON = { "content-type": "application/x-ndjson" };
const TEXT = "Your electricity bill is attached";
/** Profiles of the task `demo`. */
const COUNT = 24;
/** Profiles of the task `many`: more than two pages. */
const MANY = 1200;
/** Profiles of the task `masked`, each of which takes a tail: far more than are read before a disconnect. */
const MASKED = 5000;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  const bundle = await readBundle("bundles/minilm-l6-v2");
  await worker.push(taskFor(bundle), profilesOf(COUNT));
  await worker.push(taskFor(bundle, { name: "empty" }), []);
  const many = Array.from({ length: MANY }, (_, index) => ({
    id: `p-${String(index).padStart(4, "0")}`,
    masks: new Uint8Array(),
    labelBias: Uint8Array.of(index % 128, 0, 0),
  }));
  await worker.push(taskFor(bundle, { name: "many" }), many);
  const { masks } = taskFor(bundle);
  const masked = Array.from({ length: MASKED }, (_, index) => ({ id: `q-${index}`, masks, labelBias: null }));
  await worker.push(taskFor(bundle, { name: "masked" }), masked);
});
afterAll(() => worker.close());

// biome-ignore lint/suspicious/noExplicitAny: the answers are what is under test
type Answered = any;

const send = (body: object, options: RequestOptions = {}) =>
  worker.request("POST", "/v1/fanout", { body: { task: "demo", text: TEXT, profiles: "all", ...body }, ...options });

const parse = (text: string): Answered[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

async function answered(body: object, options: RequestOptions = {}): Promise<Answered[]> {
  const response = await send(body, options);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  return parse(await response.text());
}

const codeOf = async (response: Response | Promise<Response>) => (await (await response).json<Answered>()).code;
const idsOf = (lines: readonly Answered[]) => lines.flatMap(({ profile }) => profile ?? []);

describe("over all profiles of a demo task", () => {
  it.each(["inbox", "news", "offense"])("%s: has the bits of single predictions", async (task) => {
    const file = (name: string) => readFile(join(DEMO_FOLDER, task, name), "utf8");
    await worker.request("PUT", `/v1/tasks/${task}`, { body: await file("task.json") });
    const profiles = await file("profiles.ndjson");
    await (await worker.request("POST", `/v1/tasks/${task}/import`, { body: profiles, headers: NDJSON })).text();
    const ids = parse(profiles).map(({ profile }) => profile);
    ids.sort();
    const lines = await answered({ task, profiles: "all" });
    expect(idsOf(lines)).toEqual(ids);
    const single: Answered[] = [];
    for (let start = 0; start < ids.length; start += 64) {
      const inputs = ids.slice(start, start + 64).map((profile) => ({ profile, text: TEXT }));
      const { predictions } = await (await worker.predict({ task, inputs, scores: true })).json<Answered>();
      single.push(...predictions);
    }
    const shown = ({ profile, label, score, generation }: Answered) => ({ profile, label, score, generation });
    expect(lines.slice(0, -1)).toEqual(single.map(shown));

    const counts: Record<string, number> = Object.fromEntries(Object.keys(single[0].scores).map((one) => [one, 0]));
    for (const { label } of single) counts[label] = (counts[label] ?? 0) + 1;
    const { tokens } = single[0];
    const end = { done: true, profiles: ids.length, failed: 0, labels: counts, tokens, truncated: false, next: null };
    expect(lines.at(-1)).toEqual({ ...end, matched: ids.length });

    // Every label, so also those that no profile gives.
    for (const label of Object.keys(counts).slice(0, 5)) {
      const ofLabel = (prediction: Answered) => ({ ...shown(prediction), label, score: prediction.scores[label] });
      const giving = single.filter((prediction) => prediction.label === label).map(ofLabel);
      expect(await answered({ task, label })).toEqual([...giving, { ...end, matched: giving.length }]);
      const likely = single.map(ofLabel).filter(({ score }) => score >= 0.2);
      expect(await answered({ task, label, minScore: 0.2 })).toEqual([...likely, { ...end, matched: likely.length }]);
      const best = single.map(ofLabel).sort((a, b) => b.score - a.score || (a.profile < b.profile ? -1 : 1));
      expect(await answered({ task, label, top: 7 })).toEqual([...best.slice(0, 7), { ...end, matched: 7 }]);
    }
    const sure = single.filter(({ score }) => score >= 0.6).map(shown);
    expect(await answered({ task, minScore: 0.6 })).toEqual([...sure, { ...end, matched: sure.length }]);
  });
});

describe("POST /v1/fanout", () => {
  it("gives each profile once if it is cut off at any line and resumed", async () => {
    const whole = idsOf(await answered({ task: "many" }));
    expect(whole).toHaveLength(MANY);
    const cut = fc.array(fc.integer({ min: 1, max: MANY - 1 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(cut, async (lengths) => {
        const ids: string[] = [];
        for (const length of [...lengths, MANY]) {
          const after = ids.at(-1) ?? "";
          ids.push(...idsOf(await answered({ task: "many", after })).slice(0, length));
        }
        expect(ids).toEqual(whole);
      }),
      { numRuns: 5 },
    );
    const ids = whole.slice(0, 30).reverse();
    for (const after of ids) {
      expect(idsOf(await answered({ task: "many", profiles: ids, after }))).toEqual(ids.slice(ids.indexOf(after) + 1));
    }
  });

  it("has the best of the profiles after one", async () => {
    const query = { task: "many", label: "low", after: "p-0640" };
    const scored = (await answered({ ...query, minScore: 0 })).slice(0, -1).filter(({ profile }) => profile);
    expect(scored).toHaveLength(MANY - 641);
    scored.sort((a, b) => b.score - a.score || (a.profile < b.profile ? -1 : 1));
    const lines = await answered({ ...query, top: 5 });
    expect(lines.filter(({ profile }) => profile)).toEqual(scored.slice(0, 5));
    expect(lines.at(-1)).toMatchObject({ profiles: MANY - 641, matched: 5, next: null });
  });

  it("has the counts so far after each page", async () => {
    const lines = await answered({ task: "many", minScore: 1 });
    expect(lines.map(({ done, profiles, next }) => [done, profiles, next])).toEqual([
      [false, 500, "p-0499"],
      [false, 1000, "p-0999"],
      [true, MANY, null],
    ]);
  });

  it("is empty for a task without profiles, and for a prefix that none has", async () => {
    const none = { done: true, profiles: 0, matched: 0, failed: 0, labels: { low: 0, middle: 0, high: 0 }, next: null };
    expect(await answered({ task: "empty" })).toMatchObject([none]);
    expect(await answered({ profiles: { prefix: "nobody" } })).toMatchObject([none]);
    expect(await answered({ task: "empty", label: "low", top: 3 })).toMatchObject([none]);
  });

  it("has a line with an error for an unknown and for a damaged profile, and goes on", async () => {
    await worker.db.exec("UPDATE profiles SET masks = x'00' WHERE task = 'demo' AND id IN ('demo-004', 'demo-005')");
    await worker.db.exec("UPDATE profiles SET label_bias = x'00' WHERE task = 'demo' AND id = 'demo-006'");
    worker.harness.clearLogs();
    const ids = ["demo-003", "nobody", "demo-005", "demo-006", "demo-004", "demo-007"];
    const lines = await answered({ profiles: ids });
    expect(idsOf(lines)).toEqual(ids);
    expect(lines.map(({ error }) => error?.code)).toEqual([
      undefined,
      "unknown_profile",
      "invalid_mask",
      "invalid_label_bias",
      "invalid_mask",
      undefined,
      undefined,
    ]);
    expect(lines.at(-1)).toMatchObject({ profiles: 6, matched: 2, failed: 4 });
    await expect.poll(() => worker.harness.getLogs().length).toBe(3);
    const logged = worker.harness.getLogs().map(({ message }) => JSON.parse(message));
    expect(logged).toMatchObject([
      { level: "error", code: "invalid_mask" },
      { level: "error", code: "invalid_label_bias" },
      { level: "info", route: "/v1/fanout", status: 200, texts: 2 },
    ]);
    expect(JSON.stringify(logged)).not.toContain(TEXT);
    expect(await answered({ profiles: { prefix: "demo-00" } })).toHaveLength(11);
  });

  it("reads a pair of texts, truncates, and says so", async () => {
    const profiles = ["demo-001"];
    const [line, end] = await answered({ profiles, text: "word ".repeat(50), textPair: "other" });
    const inputs = [{ profile: "demo-001", text: "word ".repeat(50), textPair: "other" }];
    const { predictions } = await (await worker.predict({ task: "demo", inputs })).json<Answered>();
    expect([line.score, end.truncated, end.tokens]).toEqual([predictions[0].score, true, predictions[0].tokens]);
    expect(await codeOf(send({ profiles, text: "word ".repeat(50), truncate: false }))).toBe("text_too_long");
  });

  it.each<[string, object, string, RegExp]>([
    ["no such task", { task: "nothing" }, "unknown_task", /"nothing"/],
    ["no such label", { label: "lowest" }, "unknown_label", /"lowest".*low, middle, high|"lowest"/],
    ["an empty text", { text: " " }, "empty_text", /./],
    ["top 0", { label: "low", top: 0 }, "invalid_request", /^top: /],
    ["top 1001", { label: "low", top: 1001 }, "invalid_request", /^top: /],
    ["top without a label", { top: 3 }, "invalid_request", /^top: needs a label/],
    ["after outside of the ids", { profiles: ["a"], after: "b" }, "invalid_request", /^after: .*list/],
    ["an id twice", { profiles: ["a", "b", "a"] }, "invalid_request", /^profiles: has "a" twice/],
    ["no ids", { profiles: [] }, "invalid_request", /^profiles/],
    ["1,001 ids", { profiles: Array.from({ length: 1001 }, (_, n) => `p${n}`) }, "invalid_request", /^profiles/],
    ["other words than all", { profiles: "every" }, "invalid_request", /^profiles: must be a list .* or "all"/],
    ["a score over 1", { minScore: 1.5 }, "invalid_request", /^minScore/],
    ["an unknown field", { topK: 3 }, "invalid_request", /topK/],
    ["half of a surrogate pair", { text: "\ud83d" }, "invalid_request", /surrogate/],
  ])("rejects %s", async (_, body, code, detail) => {
    expect(await (await send(body)).json()).toMatchObject({ code, detail: expect.stringMatching(detail) });
  });

  it("accepts no profile tokens", async () => {
    const minted = await worker.request("POST", "/v1/profiles/demo/demo-001/token", { body: { carry: "all" } });
    const { token } = await minted.json<{ token: string }>();
    expect(await codeOf(send({ profiles: ["demo-001"] }, { key: token }))).toBe("key_invalid");
  });

  it("resumes only with the task that it began with, if it is asked to", async () => {
    const etag = (await send({})).headers.get("etag") ?? "";
    expect((await send({}, { headers: { "if-match": etag } })).status).toBe(200);
    expect(await codeOf(send({}, { headers: { "if-match": '"99"' } }))).toBe("generation_mismatch");
  });

  it("is a problem if the database fails before the first line", async () => {
    await worker.db.exec("ALTER TABLE profiles RENAME TO gone");
    const answer = await send({ profiles: ["demo-001"] });
    await worker.db.exec("ALTER TABLE gone RENAME TO profiles");
    expect([answer.status, await codeOf(answer)]).toEqual([503, "database_unavailable"]);
  });

  it.each([
    ["with lines", {}],
    ["without any line", { minScore: 1 }],
  ])("stops if the caller disconnects, %s", async (_, filter) => {
    worker.harness.clearLogs();
    const headers = { "content-type": "application/json", authorization: `Bearer ${worker.adminKey}` };
    const upload = request(new URL("/v1/fanout", worker.url).href, { method: "POST", headers });
    upload.on("error", () => {});
    upload.end(JSON.stringify({ task: "masked", text: TEXT, profiles: "all", ...filter }));
    const [response] = await once(upload, "response");
    response.on("error", () => {});
    await once(response, "data");
    upload.destroy();
    await expect.poll(() => worker.harness.getLogs().length).toBeGreaterThan(0);
    const [logged] = worker.harness.getLogs().map(({ message }) => JSON.parse(message));
    expect(logged).toMatchObject({ level: "info", route: "/v1/fanout", aborted: true });
    expect(logged.texts).toBeLessThan(MASKED);
    // The others have their turns.
    expect(await answered({ profiles: ["demo-001", "demo-002"] })).toHaveLength(3);
  });

  it("lets a caller leave who waits for a turn", async () => {
    worker.harness.clearLogs();
    const abort = new AbortController();
    const headers = { "content-type": "application/json", authorization: `Bearer ${worker.adminKey}` };
    const body = JSON.stringify({ task: "masked", text: TEXT, profiles: "all" });
    const calls = Array.from({ length: 12 }, () =>
      fetch(new URL("/v1/fanout", worker.url), { method: "POST", headers, body, signal: abort.signal }),
    );
    await Promise.race(calls);
    abort.abort();
    await Promise.allSettled(calls);
    expect(await answered({ profiles: ["demo-001", "demo-002"] })).toHaveLength(3);
    await expect.poll(() => worker.harness.getLogs().length).toBe(calls.length + 1);
    const logged = worker.harness.getLogs().map(({ message }) => JSON.parse(message));
    expect(logged.map(({ level }) => level)).toEqual(Array(calls.length + 1).fill("info"));
    expect(logged.filter(({ aborted }) => aborted)).toHaveLength(calls.length);
  });
});
