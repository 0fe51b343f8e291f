import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { wrangler } from "../../scripts/install.mjs";
import { migrateLocally } from "../support/local-worker.ts";
import { freePort, interrupt, run, start, waitForResponse } from "../support/processes.ts";
import { headHashOf, masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";

const PROFILES = 10_000;
const task = taskFor(await readBundle(DEFAULT_BUNDLE));

let folder: string;
let state: string;
let port: number;
let url: string;
let key: string;
let server: ChildProcess;

async function startServer(): Promise<void> {
  const args = ["dev", "--port", String(port), "--persist-to", state, "--show-interactive-dev-session=false"];
  server = start([wrangler, ...args], { detached: true }).child;
  await waitForResponse(`${url}/healthz`);
}

/** Kills the server and its runtime, like a power cut. */
async function killServer(): Promise<void> {
  const gone = once(server, "close");
  process.kill(-(server.pid ?? 0), "SIGKILL");
  await gone;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-killed-"));
  state = join(folder, "state");
  port = await freePort();
  url = `http://localhost:${port}`;
  const files = { task: join(folder, "task.json"), profiles: join(folder, "profiles.ndjson") };
  await writeFile(files.task, taskFile(task));
  await writeFile(files.profiles, profilesFile("demo", profilesOf(1)));
  await migrateLocally(state);
  const at = ["--persist-to", state];
  await run(["cli/xpeft.ts", "push", "--task", files.task, "--profiles", files.profiles, ...at]);
  const made = await run(["cli/xpeft.ts", "keys", "create", "--scope", "write", ...at]);
  expect(made.code).toBe(0);
  key = made.stdout.trim();
  await startServer();
});

afterAll(async () => {
  await interrupt(server);
  await rm(folder, { recursive: true, force: true });
});

const headers = () => ({ authorization: `Bearer ${key}`, "content-type": "application/x-ndjson" });

it("loses and duplicates no row of an import that is retried after the server is killed half-way", async () => {
  const kinds = Array.from({ length: 50 }, (_, seed) => masksOf(seed));
  const file = profilesFile(
    "demo",
    Array.from({ length: PROFILES }, (_, index) => ({
      id: `p${String(index).padStart(5, "0")}`,
      masks: kinds[index % 50] ?? masksOf(0),
      labelBias: null,
    })),
    await headHashOf(task),
  );

  const upload = request(`${url}/v1/tasks/demo/import`, { method: "POST", headers: headers() });
  upload.on("error", () => {});
  upload.write(file.slice(0, file.length >> 1));
  const [response] = await once(upload, "response");
  response.on("error", () => {});
  await once(response, "data");
  // The rest is in transit when the server dies.
  upload.end(file.slice(file.length >> 1));
  await killServer();

  await startServer();
  const again = await fetch(`${url}/v1/tasks/demo/import`, { method: "POST", headers: headers(), body: file });
  const sums = JSON.parse((await again.text()).trimEnd().split("\n").at(-1) ?? "");
  expect(sums).toMatchObject({ done: true, replaced: 0, failed: 0 });
  expect(sums.unchanged).toBeGreaterThan(0);
  expect(sums.created + sums.unchanged).toBe(PROFILES);

  const exported = await fetch(`${url}/v1/tasks/demo/export?prefix=p`, { headers: headers() });
  expect((await exported.text()) === file).toBe(true);
});
