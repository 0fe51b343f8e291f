import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFAULT_BUNDLE, readBundle } from "../../../node/files.ts";
import { makeKey } from "../../support/keys.ts";
import { run } from "../../support/processes.ts";
import { headHashOf, profilesFile, profilesOf, taskFile, taskFor } from "../../support/rows.ts";
import { openBeside, type ServeProcess, serveProcess } from "../../support/server.ts";

const PROFILES = 40;

let folder: string;
let urls: string[];
let server: ServeProcess;
let headers: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-sharded-"));
  urls = ["a", "b"].map((name) => `file:${join(folder, `${name}.db`)}`);
  server = await serveProcess({ folder, database: urls[0] ?? "", args: urls.slice(1) });
  const { client, db } = await openBeside(urls[0] ?? "");
  headers = { authorization: `Bearer ${await makeKey(db)}` };
  client.close();
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

it("spreads profiles over new databases, which it numbers itself", async () => {
  const task = taskFor(await readBundle(DEFAULT_BUNDLE));
  const put = await fetch(`${server.url}/v1/tasks/demo`, {
    method: "PUT",
    headers: { ...headers, "content-type": "application/json" },
    body: taskFile(task),
  });
  expect(put.ok).toBe(true);
  const lines = profilesFile("demo", profilesOf(PROFILES), await headHashOf(task));
  const imported = await fetch(`${server.url}/v1/tasks/demo/import`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-ndjson" },
    body: lines,
  });
  expect(await imported.text()).toContain(`"created":${PROFILES}`);
  const exported = await fetch(`${server.url}/v1/tasks/demo/export`, { headers });
  expect(await exported.text()).toBe(lines);

  const counts = [];
  for (const url of urls) {
    const { client } = await openBeside(url);
    counts.push(Number((await client.execute("SELECT count(*) AS n FROM profiles")).rows[0]?.n));
    client.close();
  }
  expect(counts.every((count) => count > 0)).toBe(true);
  expect(counts[0]).toBeLessThan(PROFILES);
});

it("does not start on databases in other places, or on a part of them", async () => {
  await server.stop();
  for (const given of [urls.toReversed(), urls.slice(0, 1), [...urls, `file:${join(folder, "new.db")}`]]) {
    const { code, stderr } = await run(["cli/xpeft.ts", "serve", "--port", "0", "--database", ...given]);
    expect(code).toBe(1);
    expect(stderr).toContain("shard_map_mismatch");
  }
});
