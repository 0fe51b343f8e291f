import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import type { Bundle } from "../../src/bundle/manifest.ts";
import { shardOf } from "../../src/sharding/shards.ts";
import { idsIn } from "../support/ids.ts";
import { headHashOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { type RunningWorker, startWorker } from "../support/worker.ts";

const PROFILES = profilesOf(12);
const NDJSON = { "content-type": "application/x-ndjson" };
const [here = ""] = idsIn(0, 1);
const [there = ""] = idsIn(1, 1);

let bundle: Bundle;
let one: RunningWorker;
let two: RunningWorker;

const fill = async (worker: RunningWorker) => {
  const { status } = await worker.request("PUT", "/v1/tasks/demo", { body: taskFile(taskFor(bundle)) });
  expect(status).toBe(200);
  const imported = await worker.request("POST", "/v1/tasks/demo/import", {
    body: profilesFile("demo", PROFILES),
    headers: NDJSON,
  });
  expect(imported.status).toBe(200);
  return (await imported.text()).trim().split("\n");
};

beforeAll(async () => {
  bundle = await readBundle(DEFAULT_BUNDLE);
  const vars = { CACHE_TTL_SECONDS: "0" };
  [one, two] = [await startWorker({ vars }), await startWorker({ vars, databases: 2 })];
  await fill(one);
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
});

const inputs = PROFILES.map(({ id }, index) => ({ profile: id, text: `Text number ${index}.` }));

describe("a Worker with two databases", () => {
  it("imports each profile into its database, and exports like a Worker with one database", async () => {
    const lines = await fill(two);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ done: true, created: PROFILES.length, failed: 0 });
    for (const [number, db] of two.dbs.entries()) {
      const { results } = await db.prepare("SELECT id FROM profiles").all<{ id: string }>();
      expect(results.length).toBeGreaterThan(0);
      for (const { id } of results) expect(shardOf({ task: "demo", id }, 2)).toBe(number);
    }
    const exported = await Promise.all([one, two].map(async (of) => (await of.get("/v1/tasks/demo/export")).text()));
    expect(exported[1]).toBe(exported[0]);
    expect(exported[1]).toBe(profilesFile("demo", PROFILES, await headHashOf(taskFor(bundle))));
  });

  it("predicts for profiles of both like a Worker with one database", async () => {
    const body = { task: "demo", inputs, logits: true };
    const answers = await Promise.all(
      [one, two].map(async (of) => (await of.predict(body)).json<{ predictions: object[] }>()),
    );
    expect(answers[1]?.predictions).toHaveLength(PROFILES.length);
    expect(answers[1]?.predictions).toEqual(answers[0]?.predictions);
  });

  it("lists by id over both, page by page", async () => {
    const ids: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const response = await two.get(`/v1/profiles/demo?limit=5&after=${after}`);
      const page: { profiles: { profile: string }[]; next: string | null } = await response.json();
      ids.push(...page.profiles.map(({ profile }) => profile));
      after = page.next;
    }
    expect(ids).toEqual(PROFILES.map(({ id }) => id));
  });

  it.each([here, there])("writes, shows, rolls back and deletes %s", async (id) => {
    const path = `/v1/profiles/demo/${id}`;
    const { masks } = await (await two.get(`/v1/profiles/demo/demo-011`)).json<{ masks: string }>();
    expect(await (await two.request("PUT", path, { body: { masks } })).json()).toMatchObject({ generation: 2 });
    expect((await two.get(path)).headers.get("etag")).toBe('"2"');
    const history = await (await two.get(`${path}/history`)).json<{ earlier: object[] }>();
    expect(history.earlier).toHaveLength(1);
    const back = await two.request("POST", `${path}/rollback`, { body: { generation: 1 } });
    expect(await back.json()).toMatchObject({ generation: 3 });
    expect((await two.request("POST", `${path}/token`, { body: {} })).status).toBe(200);
    expect(await (await two.request("DELETE", path)).json()).toEqual({ generation: 4 });
    expect(await (await two.get(path)).json()).toMatchObject({ code: "unknown_profile" });
    expect(await (await two.predict({ task: "demo", profile: id, inputs: "A text." })).json()).toMatchObject({
      code: "unknown_profile",
    });
  });

  it("returns one bookmark for both, accepts it, and rejects that of a single database", async () => {
    const bookmark = (await two.get("/v1/profiles/demo")).headers.get("x-d1-bookmark") ?? "";
    expect(bookmark.split(".")).toEqual([expect.stringMatching(/^[0-9a-f-]+$/), expect.stringMatching(/^[0-9a-f-]+$/)]);
    const response = await two.predict(
      { task: "demo", inputs: inputs.slice(-1) },
      { headers: { "x-d1-bookmark": bookmark } },
    );
    expect(response.status).toBe(200);
    expect(response.headers.get("x-d1-bookmark")?.split(".")).toHaveLength(2);
    const [first = ""] = bookmark.split(".");
    const rejected = await two.predict(
      { task: "demo", inputs: inputs.slice(-1) },
      { headers: { "x-d1-bookmark": first } },
    );
    expect(await rejected.json()).toMatchObject({ code: "invalid_request" });
    expect((await one.predict({ task: "demo", inputs }, { headers: { "x-d1-bookmark": bookmark } })).status).toBe(422);
    expect(await (await two.get("/openapi.json")).text()).toContain("){1}$");
  });

  it("reports the unavailable one, and still serves profiles of the other", async () => {
    await two.dbs[1]?.exec("ALTER TABLE profiles RENAME TO gone");
    const answers = await Promise.all(
      idsIn(0, 3)
        .slice(1)
        .concat(idsIn(1, 3).slice(1))
        .map(async (profile) => {
          const response = await two.predict({ task: "demo", profile, inputs: "A text." });
          return { status: response.status, ...(await response.json<{ code?: string; detail?: string }>()) };
        }),
    );
    expect((await two.get("/healthz")).status).toBe(200);
    await two.dbs[1]?.exec("ALTER TABLE gone RENAME TO profiles");
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 503, 503]);
    expect(answers[2]).toMatchObject({
      code: "database_unavailable",
      detail: expect.stringContaining("Database 1 of 2"),
    });
  });

  it("deletes a task from both", async () => {
    expect(await (await two.request("DELETE", "/v1/tasks/demo")).json()).toMatchObject({ code: "task_has_profiles" });
    expect((await two.request("DELETE", "/v1/tasks/demo?profiles=delete")).status).toBe(200);
    for (const db of two.dbs) expect((await db.prepare("SELECT * FROM tasks").all()).results).toEqual([]);
    expect(await (await two.predict({ task: "demo", inputs })).json()).toMatchObject({ code: "unknown_task" });
  });
});
