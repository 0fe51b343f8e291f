import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readBundle } from "../../../../node/files.ts";
import type { NewProfile } from "../../../../src/profiles/profile.ts";
import { isLongForm } from "../../../support/long-form.ts";
import { headHashOf, masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../../../support/rows.ts";
import { type RunningWorker, startWorker } from "../../../support/worker.ts";

const PROFILES = 10_000;
const NDJSON = { "content-type": "application/x-ndjson" };

let worker: RunningWorker;
let file: string;

beforeAll(async () => {
  worker = await startWorker();
  const task = taskFor(await readBundle("bundles/minilm-l6-v2"));
  // Drawing masks is slow, and a hundred different ones are enough to tell rows apart.
  const kinds = Array.from({ length: 100 }, (_, seed) => masksOf(seed));
  const profiles = Array.from({ length: PROFILES }, (_, index): NewProfile => {
    const bias = index % 3 === 0 ? Uint8Array.of(index % 256, 0, 255) : null;
    return { id: `p${String(index).padStart(5, "0")}`, masks: kinds[index % 100] ?? masksOf(0), labelBias: bias };
  });
  file = profilesFile("demo", profiles, await headHashOf(task));
});
afterAll(() => worker.close());
beforeEach(async () => {
  // Triggers add to the history and the tombstones of what is deleted.
  for (const table of ["profiles", "tasks", "profile_history", "tombstones"])
    await worker.db.exec(`DELETE FROM ${table}`);
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), []);
});

const send = (body: string, query = "") =>
  worker.request("POST", `/v1/tasks/demo/import${query}`, { body, headers: NDJSON });
const exported = async () => (await worker.get("/v1/tasks/demo/export")).text();

/** Exports by several requests, each starting after the previous one's last line. */
async function exportedInParts(limit: number): Promise<string> {
  let whole = "";
  for (let after = ""; ; ) {
    const part = await (await worker.get(`/v1/tasks/demo/export?limit=${limit}&after=${after}`)).text();
    if (part === "") return whole;
    const lines = part.trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(limit);
    whole += part;
    after = JSON.parse(lines.at(-1) ?? "").profile;
  }
}
const stored = () => worker.db.prepare("SELECT count(*) AS n FROM profiles").first<number>("n");
const lastLine = async (response: Response) => JSON.parse((await response.text()).trimEnd().split("\n").at(-1) ?? "");

/** Sends half of a file, and disconnects after some lines are answered. */
async function breakOff(): Promise<void> {
  const upload = request(new URL("/v1/tasks/demo/import", worker.url).href, {
    method: "POST",
    headers: { ...NDJSON, authorization: `Bearer ${worker.adminKey}` },
  });
  upload.on("error", () => {});
  upload.write(file.slice(0, file.length >> 1));
  const [response] = await once(upload, "response");
  await once(response, "data");
  response.destroy();
  upload.destroy();
}

describe(`importing ${PROFILES} profiles`, () => {
  it("loses and duplicates none when it is interrupted and retried, and exports what was imported", async () => {
    await breakOff();
    await expect.poll(stored).toBeGreaterThan(0);
    const sums = await lastLine(await send(file));
    expect(sums).toMatchObject({ done: true, replaced: 0, failed: 0 });
    expect(sums.unchanged).toBeGreaterThan(0);
    expect(sums.created + sums.unchanged).toBe(PROFILES);

    expect((await exported()) === file).toBe(true);
    expect((await exportedInParts(3700)) === file).toBe(true);
    const doubled = "SELECT count(*) AS n FROM profiles WHERE generation <> 1";
    expect(await worker.db.prepare(doubled).first("n")).toBe(0);
    expect(await worker.db.prepare("SELECT count(*) AS n FROM profile_history").first("n")).toBe(0);
  });

  it("writes them in few transactions, because D1 limits the queries of a request", async () => {
    await lastLine(await send(file));
    const times = "SELECT count(DISTINCT updated_at) AS n FROM profiles";
    expect(await worker.db.prepare(times).first<number>("n")).toBeLessThanOrEqual(40);
  });

  it("writes nothing on a dry run", async () => {
    expect(await lastLine(await send(file, "?dryRun=true"))).toEqual({
      done: true,
      dryRun: true,
      created: PROFILES,
      replaced: 0,
      unchanged: 0,
      failed: 0,
      bookmark: expect.any(String),
    });
    expect(await stored()).toBe(0);
  });
});

describe("an import", () => {
  const send = (headers: Record<string, string>, query = "") =>
    worker.request("POST", `/v1/tasks/demo/import${query}`, {
      body: file.slice(0, 1000),
      headers: { ...NDJSON, ...headers },
    });

  it("for another generation of the task writes nothing", async () => {
    const rejected = await send({ "if-match": '"7"' });
    expect([rejected.status, await rejected.json()]).toMatchObject([
      412,
      { code: "generation_mismatch", generation: 1 },
    ]);
    expect(await stored()).toBe(0);
    expect((await lastLine(await send({ "if-match": '"1"' }))).created).toBeGreaterThan(0);
  });

  it("of profiles of another head writes none of them, whatever generation it expects", async () => {
    const before = await exported();
    await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(3));
    const saved = await exported();
    expect(saved).not.toBe(before);
    const task = taskFor(await readBundle("bundles/minilm-l6-v2"));
    const newer = taskFile({ ...task, head: task.head.map((value) => -value) });
    expect((await worker.request("PUT", "/v1/tasks/demo?profiles=delete", { body: newer })).status).toBe(200);
    const response = await worker.request("POST", "/v1/tasks/demo/import", { body: saved, headers: NDJSON });
    const lines = (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.pop()).toMatchObject({ done: true, created: 0, failed: 3 });
    expect(lines).toMatchObject(
      profilesOf(3).map(({ id }, index) => ({
        line: index + 1,
        profile: id,
        status: "failed",
        error: { code: "head_mismatch", status: 409, detail: expect.stringContaining(`Profile "${id}" was trained`) },
      })),
    );
    expect(await stored()).toBe(0);
    const [line = ""] = saved.split("\n");
    const one = { body: line, headers: { "content-type": "application/json" } };
    const rejected = await worker.request("PUT", "/v1/profiles/demo/demo-000", one);
    expect(await rejected.json()).toMatchObject({ code: "head_mismatch" });
    expect((await worker.request("PUT", "/v1/tasks/demo", { body: taskFile(task) })).status).toBe(200);
    expect(
      await lastLine(await worker.request("POST", "/v1/tasks/demo/import", { body: saved, headers: NDJSON })),
    ).toMatchObject({ created: 3, failed: 0 });
    expect((await worker.request("PUT", "/v1/profiles/demo/demo-000", one)).status).toBe(200);
    expect(await exported()).toBe(saved);
  });

  it("with a misspelled dryRun parameter writes nothing", async () => {
    for (const query of ["?dryrun=true", "?dryRun=1", "?dryRun=true&x=1"])
      expect((await send({}, query)).status).toBe(422);
    expect(await stored()).toBe(0);
  });

  it("of a compressed body is rejected", async () => {
    expect((await send({ "content-encoding": "gzip" })).status).toBe(415);
  });
});

const RACES = isLongForm ? 500 : 30;

describe("a writer", () => {
  it(`wins each of ${RACES} races alone, and the other one gets the current generation`, async () => {
    const put = (masks: string, headers: Record<string, string>) =>
      worker.request("PUT", "/v1/profiles/demo/raced", { body: { masks }, headers });
    const blobs = [1, 2].map((seed) => Buffer.from(masksOf(seed)).toString("base64"));
    expect((await put(blobs[0] ?? "", { "if-none-match": "*" })).status).toBe(200);

    for (let generation = 1; generation <= RACES; generation++) {
      const raced = await Promise.all(blobs.map((masks) => put(masks, { "if-match": `"${generation}"` })));
      const [won, lost] = raced[0]?.ok ? raced : raced.toReversed();
      expect([won?.status, lost?.status]).toEqual([200, 412]);
      expect(won?.headers.get("etag")).toBe(`"${generation + 1}"`);
      expect(await lost?.json()).toMatchObject({ code: "generation_mismatch", generation: generation + 1 });
      await won?.body?.cancel();
    }
  });
});
