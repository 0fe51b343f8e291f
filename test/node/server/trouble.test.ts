import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { toBase64 } from "../../../src/lib/base64.ts";
import { createPush } from "../../../src/storage/push.ts";
import { startHranaServer } from "../../support/hrana-server.ts";
import { makeKey } from "../../support/keys.ts";
import { masksOf, profilesOf, taskFor } from "../../support/rows.ts";
import { databaseIn, openBeside, type ServeProcess, serveProcess } from "../../support/server.ts";

/** Of SQLite, unless told otherwise. */
const PAGE_BYTES = 4096;

let folder: string;
let key: string;
let server: ServeProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-trouble-"));
});
afterEach(async () => {
  await server?.stop("SIGKILL");
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** Writes a task with profiles and a key into a database that no server uses yet. */
async function prepare(url: string, profiles = 2): Promise<void> {
  const { client, db } = await openBeside(url);
  await createPush(db)(taskFor(await readBundle(DEFAULT_BUNDLE)), profilesOf(profiles));
  key = await makeKey(db);
  client.close();
}

const headers = () => ({ authorization: `Bearer ${key}`, "content-type": "application/json" });

const predict = (profile: string) =>
  fetch(`${server?.url}/v1/predict`, {
    method: "POST",
    headers: headers(),
    body: JSON.stringify({ task: "demo", profile, inputs: "A text" }),
  });

const put = (profile: string) =>
  fetch(`${server?.url}/v1/profiles/demo/${profile}`, {
    method: "PUT",
    headers: headers(),
    body: JSON.stringify({ masks: toBase64(masksOf(7)) }),
  });

const ids = async () => {
  const response = await fetch(`${server?.url}/v1/profiles/demo`, { headers: headers() });
  const { profiles } = (await response.json()) as { profiles: { profile: string }[] };
  return profiles.map(({ profile }) => profile);
};

/** Expects `database_unavailable` with a message and a hint. */
async function expectUnavailable(response: Response, detail: RegExp, hint: RegExp): Promise<void> {
  expect(await response.json()).toMatchObject({
    status: 503,
    code: "database_unavailable",
    detail: expect.stringMatching(detail),
    hint: expect.stringMatching(hint),
  });
}

it("reads on while another program holds the database's lock, names that, and writes once it is free", async () => {
  const url = databaseIn(folder);
  await prepare(url);
  server = await serveProcess({ folder });
  expect((await predict("demo-000")).status).toBe(200);
  const other = createClient({ url });
  const lock = await other.transaction("write");

  const write = put("demo-009");
  expect((await predict("demo-001")).status).toBe(200);
  await expectUnavailable(await write, /lock/, /does not end its transaction/);

  // A short lock is only a delay.
  const later = put("demo-009");
  await lock.rollback();
  expect((await later).ok).toBe(true);
  expect(await ids()).toEqual(["demo-000", "demo-001", "demo-009"]);
  other.close();
});

/** Mounts a small disk. Returns whether that is permitted. */
function mountDisk(path: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", path]).status === 0;
}

it("names a full disk, reads on, loses nothing, and writes again when there is space", async ({ skip }) => {
  const disk = join(folder, "disk");
  await mkdir(disk);
  if (!mountDisk(disk)) skip("Mounting a small disk needs root.");
  try {
    await prepare(databaseIn(disk));
    server = await serveProcess({ folder: disk });
    expect((await put("demo-002")).ok).toBe(true);
    const filler = join(disk, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=1k"]);

    // Some writes still fit into the log's last block.
    let count = 2;
    let response = await put("demo-100");
    while (response.ok) response = await put(`demo-${100 + ++count}`);
    await expectUnavailable(response, /no space/, /Free space/);
    expect((await predict("demo-001")).status).toBe(200);
    const before = await ids();

    await rm(filler);
    expect((await put("demo-999")).ok).toBe(true);
    expect(await ids()).toEqual([...before, "demo-999"]);
  } finally {
    await server?.stop("SIGKILL");
    spawnSync("umount", ["-l", disk]);
  }
});

it("names a damaged file, and answers from what it has", async () => {
  await prepare(databaseIn(folder), 1000);
  server = await serveProcess({ folder });
  expect((await predict("demo-000")).status).toBe(200);
  const { client } = await openBeside(databaseIn(folder));
  await client.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  client.close();
  const path = join(folder, "xpeft.db");
  // All but the page that says what the others hold.
  const file = await open(path, "r+");
  const { size } = await file.stat();
  await file.write(Buffer.alloc(size - PAGE_BYTES, 0xa5), 0, size - PAGE_BYTES, PAGE_BYTES);
  await file.close();
  await expectUnavailable(await predict("demo-999"), /file is damaged/, /Restore a backup/);
  expect((await predict("demo-000")).status).toBe(200);
});

it("names a database on another machine that is away, and goes on when it is back", async () => {
  const remote = await startHranaServer(join(folder, "remote.db"));
  await prepare(remote.url);
  server = await serveProcess({ folder, database: remote.url });
  expect((await predict("demo-000")).status).toBe(200);
  expect((await put("demo-002")).ok).toBe(true);

  await remote.leave();
  // Cached rows are enough for an answer.
  expect((await predict("demo-000")).status).toBe(200);
  await expectUnavailable(await predict("demo-001"), /failed on a query/, /can be reached/);
  await expectUnavailable(await put("demo-003"), /failed on a query/, /can be reached/);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(503);

  await remote.comeBack();
  expect((await put("demo-003")).ok).toBe(true);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(await ids()).toEqual(["demo-000", "demo-001", "demo-002", "demo-003"]);
  await remote.close();
});
