import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ServeProcess, serveProcess } from "../../support/server.ts";

const LIMIT = 3;

let folder: string;
let server: ServeProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-proxies-"));
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const start = (trusted: string) =>
  serveProcess({ folder, env: { XPEFT_RATE_LIMIT: String(LIMIT), XPEFT_TRUSTED_PROXIES: trusted } });

/** Returns how many of some requests are within the limit. @param forwarded their X-Forwarded-For */
async function accepted(forwarded: readonly string[]): Promise<number> {
  const send = (list: string) => fetch(`${server.url}/healthz`, { headers: { "x-forwarded-for": list } });
  const statuses = await Promise.all(forwarded.map(async (list) => (await send(list)).status));
  return statuses.filter((status) => status !== 429).length;
}

const many = (list: (index: number) => string) => Array.from({ length: 2 * LIMIT }, (_, index) => list(index));

it("counts callers by what the trusted proxy saw, whatever they write themselves", async () => {
  server = await start("1");
  expect(await accepted(many((index) => `10.0.0.${index}, 192.0.2.1`))).toBe(LIMIT);
  expect(await accepted(many((index) => `192.0.2.1, 203.0.113.${index}`))).toBe(2 * LIMIT);
});

it("counts by the connection if no proxy is trusted", async () => {
  server = await start("0");
  // The start's own request counts too.
  expect(await accepted(many((index) => `203.0.113.${index}`))).toBeLessThan(LIMIT);
});
