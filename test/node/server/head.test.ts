import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ServeProcess, serveProcess } from "../../support/server.ts";

const REQUESTS = 30;

let folder: string;
let server: ServeProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-head-"));
  server = await serveProcess({ folder, args: ["--demo"] });
});
afterAll(async () => {
  await server.stop("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

it("leaves no file open and no stream unfinished after answers to HEAD", async () => {
  const { bundle } = (await (await fetch(`${server.url}/healthz`)).json()) as { bundle: string };
  const page = await (await fetch(server.url, { headers: { "sec-fetch-dest": "document" } })).text();
  const headers = { authorization: `Bearer ${/xpk_[\w-]+/.exec(page)?.[0]}` };
  const openFiles = async () => (await readdir(`/proc/${server.child.pid}/fd`)).length;
  const before = await openFiles();
  for (const path of [`/v1/bundle/${bundle}/packed.0`, "/v1/tasks/news/export"]) {
    for (let sent = 0; sent < REQUESTS; sent++) {
      const { status } = await fetch(server.url + path, { method: "HEAD", headers });
      expect(status).toBe(200);
    }
  }
  await expect.poll(openFiles).toBeLessThan(before + REQUESTS / 2);
  const logged = () => server.output.stdout.split("\n").filter((line) => line.includes('"HEAD"')).length;
  await expect.poll(logged).toBe(2 * REQUESTS);
  // A stream that never ends would keep it until its grace is over.
  expect(await server.stop("SIGTERM")).toBe(0);
});
