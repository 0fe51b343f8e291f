import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../../node/files.ts";
import { profilesOf, taskFor } from "../../../support/rows.ts";
import { type RunningWorker, startWorker } from "../../../support/worker.ts";

const NDJSON = { "content-type": "application/x-ndjson" };
const TEXTS = 150;

/** Three of fifty lines are invalid. */
const FAILED = (3 * TEXTS) / 50;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ vars: { CACHE_TTL_SECONDS: "0" } });
  await worker.push(taskFor(await readBundle("bundles/minilm-l6-v2")), profilesOf(5));
});
afterAll(() => worker.close());

// biome-ignore lint/suspicious/noExplicitAny: the answers are what is under test
type Answered = any;

const send = (body: string | Uint8Array<ArrayBuffer>, query = "", headers: Record<string, string> = NDJSON) =>
  fetch(new URL(`/v1/predict/stream?task=demo${query}`, worker.url), { method: "POST", headers, body });

async function answered(response: Response): Promise<Answered[]> {
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  return (await response.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const lineOf = (input: object) => `${JSON.stringify(input)}\n`;

describe("POST /v1/predict/stream", () => {
  it(`answers ${TEXTS} texts in order, each like a single call, with errors for invalid lines`, async () => {
    const lines = Array.from({ length: TEXTS }, (_, index) => {
      if (index % 50 === 7) return "{ no JSON\n";
      if (index % 50 === 8) return lineOf({ profile: "nobody", text: "a text" });
      if (index % 50 === 9) return lineOf({ profile: "demo-000", text: " " });
      return lineOf({
        profile: `demo-00${index % 5}`,
        text: `Text number ${index}`,
        ...(index % 3 === 0 && { textPair: "and" }),
      });
    });
    const answers = await answered(await send(lines.join(""), "&logits=true&topK=1"));
    expect(answers).toHaveLength(TEXTS + 1);
    expect(answers.slice(0, -1).map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
    expect(answers.at(-1)).toEqual({ done: true, answered: TEXTS - FAILED, failed: FAILED });
    expect(answers.slice(7, 10).map(({ error }) => error.code)).toEqual([
      "invalid_json",
      "unknown_profile",
      "empty_text",
    ]);
    for (const index of [0, 33, 66, TEXTS - 1]) {
      const { line, ...answer } = answers[index];
      const single = await worker.predict({
        task: "demo",
        inputs: [JSON.parse(lines[index] ?? "")],
        logits: true,
        topK: 1,
      });
      expect(answer).toEqual((await single.json<Answered>()).predictions[0]);
    }
  });

  it("uses the request's profile for lines without one, and reports lines without any", async () => {
    const body = lineOf({ text: "a text" }) + lineOf({ profile: "demo-002", text: "a text" });
    expect(await answered(await send(body, "&profile=demo-001"))).toMatchObject([
      { profile: "demo-001" },
      { profile: "demo-002" },
      { done: true },
    ]);
    expect(await answered(await send(lineOf({ text: "a text" })))).toMatchObject([
      { line: 1, error: { code: "invalid_request", detail: expect.stringContaining("profile") } },
      { done: true, failed: 1 },
    ]);
  });

  it("reports lines with unknown fields, long texts and invalid bytes", async () => {
    const good = new TextEncoder().encode(
      lineOf({ text: "ok" }) + lineOf({ text: "a", extra: 1 }) + lineOf({ text: "word ".repeat(50) }),
    );
    const body = new Uint8Array([...good, 0xff, 0x0a]);
    const answers = await answered(await send(body, "&profile=demo-001&truncate=false"));
    expect(answers.map(({ error }) => error?.code)).toEqual([
      undefined,
      "invalid_request",
      "text_too_long",
      "invalid_request",
      undefined,
    ]);
    expect(answers[1].error.detail).toContain("extra");
  });

  it("answers the first lines before the rest arrives", async () => {
    const upload = request(new URL("/v1/predict/stream?task=demo&profile=demo-001", worker.url).href, {
      method: "POST",
      headers: NDJSON,
    });
    upload.write(lineOf({ text: "the first" }));
    const [response] = await once(upload, "response");
    const [first] = await once(response, "data");
    expect(JSON.parse(String(first))).toMatchObject({ line: 1, profile: "demo-001" });
    upload.end(lineOf({ text: "the last" }));
    const rest = String(Buffer.concat(await response.toArray()))
      .trimEnd()
      .split("\n");
    expect(rest.map((line) => JSON.parse(line))).toMatchObject([{ line: 2 }, { done: true, answered: 2, failed: 0 }]);
  });

  it("reports an early end in its last line and in the log", async () => {
    await worker.db.exec("ALTER TABLE profiles RENAME TO gone");
    worker.harness.clearLogs();
    const lines = await answered(await send(lineOf({ profile: "demo-001", text: "secret words" })));
    await worker.db.exec("ALTER TABLE gone RENAME TO profiles");
    expect(lines).toMatchObject([{ error: { code: "database_unavailable" } }]);
    const errors = worker.harness.getLogs().filter(({ level }) => level === "error");
    expect(errors.map(({ message }) => JSON.parse(message))).toMatchObject([{ code: "database_unavailable" }]);
    expect(JSON.stringify(errors)).not.toContain("secret");
  });

  it("is logged at its end with the number of texts; a fault of the service is logged once", async () => {
    await worker.db.exec("UPDATE profiles SET masks = x'00' WHERE id = 'demo-004'");
    worker.harness.clearLogs();
    const bad = lineOf({ profile: "demo-004", text: "a text" });
    const answers = await answered(await send(lineOf({ profile: "demo-001", text: "a text" }) + bad + bad));
    expect(answers.at(-1)).toMatchObject({ answered: 1, failed: 2 });
    await expect.poll(() => worker.harness.getLogs().length).toBe(2);
    const logged = worker.harness.getLogs().map(({ message }) => JSON.parse(message));
    expect(logged).toMatchObject([
      { level: "error", code: "invalid_mask" },
      { level: "info", route: "/v1/predict/stream", status: 200, texts: 1 },
    ]);
  });

  it("logs no error if the caller disconnects", async () => {
    worker.harness.clearLogs();
    const upload = request(new URL("/v1/predict/stream?task=demo&profile=demo-001", worker.url).href, {
      method: "POST",
      headers: NDJSON,
    });
    upload.on("error", () => {});
    upload.write(lineOf({ text: "the first" }));
    const [response] = await once(upload, "response");
    response.on("error", () => {});
    await once(response, "data");
    upload.destroy();
    await expect.poll(() => worker.harness.getLogs().length).toBeGreaterThan(0);
    const logged = worker.harness.getLogs().map(({ message }) => JSON.parse(message));
    expect(logged).toMatchObject([{ level: "info", route: "/v1/predict/stream", aborted: true }]);
  });

  it("answers an empty body, and rejects other content types than JSON Lines", async () => {
    expect(await answered(await send(""))).toEqual([{ done: true, answered: 0, failed: 0 }]);
    expect((await send("{}", "", { "content-type": "application/json" })).status).toBe(415);
  });
});
