import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { toBase64 } from "../../../src/lib/base64.ts";
import { createPush } from "../../../src/storage/push.ts";
import { makeKey } from "../../support/keys.ts";
import { isLongForm } from "../../support/long-form.ts";
import { freePort, run } from "../../support/processes.ts";
import { masksOf, profilesOf, taskFor } from "../../support/rows.ts";
import { databaseIn, openBeside, type ServeProcess, serveProcess } from "../../support/server.ts";

const WORKERS = isLongForm ? 4 : 2;

let folder: string;
let key: string;
let server: ServeProcess | undefined;
let other: ServeProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-workers-"));
  const { client, db } = await openBeside(databaseIn(folder));
  await createPush(db)(taskFor(await readBundle(DEFAULT_BUNDLE)), profilesOf(2));
  key = await makeKey(db);
  client.close();
});
afterEach(async () => {
  await server?.stop("SIGKILL");
  await other?.stop("SIGKILL");
  server = undefined;
  other = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** Longer than a request takes on a machine that is busy. */
const GRACE_SECONDS = "300";

async function startWorkers(env: NodeJS.ProcessEnv = {}): Promise<ServeProcess> {
  // With port 0, another port is taken once no process is left that listens.
  const port = String(await freePort());
  const args = ["--port", port, "--workers", String(WORKERS), "--grace", GRACE_SECONDS];
  server = await serveProcess({ folder, args, env });
  return server;
}

const headers = () => ({ authorization: `Bearer ${key}`, "content-type": "application/json" });

/** A request that its process leaves without an answer fails at once. It does not hang. */
const HANGS_MS = 120_000;

/** Sends a request over a connection of its own, so that any process may get it. */
const send = (method: string, path: string, body?: object, to = server) =>
  fetch(`${to?.url}${path}`, {
    method,
    headers: { ...headers(), connection: "close" },
    signal: AbortSignal.timeout(HANGS_MS),
    ...(body && { body: JSON.stringify(body) }),
  });

const predict = (to = server) =>
  send("POST", "/v1/predict", { task: "demo", profile: "demo-000", inputs: "A text", logits: true }, to);

/** Returns an answer's predictions as text. */
async function predictionsOf(response: Response): Promise<string> {
  const { predictions } = (await response.json()) as { predictions: object[] };
  return JSON.stringify(predictions);
}

/** Returns the ids of a server's processes. */
async function children({ child: { pid } }: ServeProcess): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

it("loses no row and gives no wrong answer while each process is killed in turn, and replaces them", async () => {
  const running = await startWorkers();
  // A process of its own on the same file.
  other = await serveProcess({ folder });
  const right = await predictionsOf(await predict());
  const written: string[] = [];
  const wrong: string[] = [];
  let ended = false;

  function unanswered(error: Error): null {
    if (error.name === "TimeoutError") wrong.push(error.message);
    return null;
  }

  /** Writes profiles and predicts. A request may end with its process, and is then unanswered. */
  async function use(name: string, to: ServeProcess): Promise<void> {
    for (let number = 0; !ended; number++) {
      const id = `${name}-${number}`;
      const put = await send("PUT", `/v1/profiles/demo/${id}`, { masks: toBase64(masksOf(number % 9)) }, to).catch(
        unanswered,
      );
      if (put?.ok) written.push(id);
      else if (put) wrong.push(await put.text());
      const answer = await predict(to).catch(unanswered);
      const predictions = answer && (await predictionsOf(answer).catch(() => null));
      if (predictions && predictions !== right) wrong.push(predictions);
    }
  }
  const moreWritten = async () => {
    const before = written.length;
    await expect.poll(() => written.length).toBeGreaterThan(before + 10);
  };
  const answers = () =>
    predict().then(
      ({ ok }) => ok,
      () => false,
    );
  const users = [use("a", running), use("b", running), use("c", other)];
  const first = await children(running);
  expect(first).toHaveLength(WORKERS);
  for (const pid of first) {
    await moreWritten();
    process.kill(pid, "SIGKILL");
    await expect.poll(() => children(running)).not.toContain(pid);
    await expect.poll(() => children(running)).toHaveLength(WORKERS);
    await expect.poll(answers).toBe(true);
  }
  await moreWritten();
  ended = true;
  await Promise.all(users);

  expect(wrong).toEqual([]);
  const exported = await (await send("GET", "/v1/tasks/demo/export")).text();
  const stored = new Set(
    exported
      .trim()
      .split("\n")
      .map((line: string) => JSON.parse(line).profile),
  );
  expect(written.filter((id) => !stored.has(id))).toEqual([]);
});

it("counts a caller's requests over all processes", async () => {
  const limit = 20;
  await startWorkers({ XPEFT_RATE_LIMIT: String(limit) });
  const statuses = await Promise.all(Array.from({ length: 2 * limit }, async () => (await predict()).status));
  expect(statuses.filter((status) => status === 200)).toHaveLength(limit);
  expect(statuses.filter((status) => status === 429)).toHaveLength(limit);
});

it("answers the requests that it has on signals to all of its processes, then ends", async () => {
  const running = await startWorkers();
  const { url, stop } = running;
  const upload = request(`${url}/v1/predict/stream?task=demo`, {
    method: "POST",
    headers: { ...headers(), "content-type": "application/x-ndjson" },
  });
  const line = `${JSON.stringify({ profile: "demo-000", text: "A text" })}\n`;
  upload.write(line.repeat(3));
  const response = await new Promise<IncomingMessage>((resolve) => upload.on("response", resolve));
  const parts: Buffer[] = [];
  response.on("data", (part) => parts.push(part));
  await expect.poll(() => parts.length).toBeGreaterThan(0);

  // A terminal and systemd send a signal to every process.
  for (const pid of await children(running)) process.kill(pid, "SIGTERM");
  const ended = stop("SIGTERM");
  const isOpen = () =>
    fetch(`${url}/healthz`).then(
      () => true,
      () => false,
    );
  await expect.poll(isOpen).toBe(false);
  upload.end(line);
  await new Promise((resolve, reject) => response.on("end", resolve).on("error", reject));
  const labelled = Buffer.concat(parts)
    .toString()
    .split("\n")
    .filter((text: string) => text.includes('"label"'));
  expect(labelled).toHaveLength(4);
  expect(await ended).toBe(0);
});

it("gives up if its processes cannot start, and says why", async () => {
  const options = ["--database", databaseIn(folder), "--port", String(await freePort()), "--workers", "2"];
  const { code, stderr } = await run(["cli/xpeft.ts", "serve", ...options, "--bundle", folder]);
  expect(code).toBe(1);
  expect(stderr).toContain("bundle_file_missing");
  expect(stderr).toContain("end right after their start");
});
