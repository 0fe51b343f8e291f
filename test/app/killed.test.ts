import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../node/files.ts";
import { wrangler } from "../../scripts/install.mjs";
import { migrateLocally } from "../support/local-worker.ts";
import { freePort, interrupt, run, start, waitForResponse } from "../support/processes.ts";
import { headHashOf, masksOf, profilesFile, profilesOf, taskFile, taskFor } from "../support/rows.ts";
import { databaseIn, openBeside } from "../support/server.ts";

const PROFILES = 10_000;
const task = taskFor(await readBundle(DEFAULT_BUNDLE));

/** Options of `keys create` and `push` that name a database. */
type Database = readonly string[];

const files = (folder: string) => ({ task: join(folder, "task.json"), profiles: join(folder, "profiles.ndjson") });

const RUNTIMES = [
  {
    name: "wrangler dev",
    database: (folder: string): Database => ["--persist-to", join(folder, "state")],
    prepare: (folder: string) => migrateLocally(join(folder, "state")),
    start: (port: number, database: Database) =>
      start([wrangler, "dev", "--port", String(port), "--show-interactive-dev-session=false", ...database], {
        detached: true,
      }).child,
  },
  {
    name: "xpeft serve",
    database: (folder: string): Database => ["--database", databaseIn(folder)],
    prepare: async (folder: string) => (await openBeside(databaseIn(folder))).client.close(),
    start: (port: number, database: Database) =>
      start(["cli/xpeft.ts", "serve", "--port", String(port), ...database], { detached: true }).child,
  },
];

describe.each(RUNTIMES)("$name", (runtime) => {
  let folder: string;
  let database: Database;
  let port: number;
  let url: string;
  let key: string;
  let server: ChildProcess;

  async function startServer(): Promise<void> {
    server = runtime.start(port, database);
    await waitForResponse(`${url}/healthz`);
  }

  /** Kills the server and its processes, like a power cut. */
  async function killServer(): Promise<void> {
    const gone = once(server, "close");
    process.kill(-(server.pid ?? 0), "SIGKILL");
    await gone;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "xpeft-killed-"));
    database = runtime.database(folder);
    port = await freePort();
    url = `http://localhost:${port}`;
    const paths = files(folder);
    await writeFile(paths.task, taskFile(task));
    await writeFile(paths.profiles, profilesFile("demo", profilesOf(1)));
    await runtime.prepare(folder);
    await run(["cli/xpeft.ts", "push", "--task", paths.task, "--profiles", paths.profiles, ...database]);
    const made = await run(["cli/xpeft.ts", "keys", "create", "--scope", "write", ...database]);
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
});
