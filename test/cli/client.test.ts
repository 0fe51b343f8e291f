import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createClient } from "../../cli/client.ts";

const PAGES: Record<string, object> = {
  "": { tasks: [{ task: "a", labels: ["x", "y"] }], next: "a" },
  a: { tasks: [{ task: "b", labels: ["1", "2"] }], next: null },
};

let server: Server;
let url: string;
/** Answers to come that say that there is too much to do. */
let busy: number;
let asked: { path: string; headers: IncomingHttpHeaders }[];

beforeEach(async () => {
  asked = [];
  busy = 0;
  server = createServer(({ url: path = "", headers }, response) => {
    asked.push({ path, headers });
    if (headers.authorization === undefined) {
      response
        .writeHead(401)
        .end(JSON.stringify({ code: "key_missing", detail: "This needs a key.", hint: "A header." }));
      return;
    }
    if (busy-- > 0) {
      const problem = { code: "overloaded", detail: "Too much.", hint: "Wait.", retryAfterSeconds: 1 };
      response.writeHead(503).end(JSON.stringify(problem));
      return;
    }
    const { searchParams } = new URL(path, "http://localhost");
    response.end(JSON.stringify(PAGES[searchParams.get("after") ?? "none"] ?? {}));
  }).listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a port was asked for");
  url = `http://localhost:${address.port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

it("follows the pages of the tasks until it has the one it looks for", async () => {
  const client = createClient(url, "xpk_1");
  expect(await client.labels("b")).toEqual(["1", "2"]);
  expect(asked.map(({ path }) => path)).toEqual(["/v1/tasks?limit=1000&after=", "/v1/tasks?limit=1000&after=a"]);
  expect(await client.labels("a")).toEqual(["x", "y"]);
  expect(asked).toHaveLength(3);
  await expect(client.labels("c")).rejects.toMatchObject({
    name: "CommandError",
    message: 'The Worker has no task "c".',
    hint: expect.stringContaining("push"),
  });
});

it("sends its key, and says how to give one where it has none", async () => {
  await createClient(url, "xpk_1").labels("a");
  expect(asked[0]?.headers.authorization).toBe("Bearer xpk_1");
  await expect(createClient(url).labels("a")).rejects.toMatchObject({
    message: "key_missing: This needs a key.",
    hint: expect.stringContaining("--key"),
  });
});

it("does not take an answer of another form", async () => {
  await expect(
    createClient(url, "xpk_1").predict({ task: "a", profile: "p", inputs: [{ text: "t" }] }),
  ).rejects.toThrow("in no known form");
});

it("asks a busy Worker again, after as long as it is told", async () => {
  busy = 1;
  const start = performance.now();
  expect(await createClient(url, "xpk_1").labels("a")).toEqual(["x", "y"]);
  expect(asked).toHaveLength(2);
  expect(performance.now() - start).toBeGreaterThan(900);
});
