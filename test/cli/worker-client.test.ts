import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import { describeError, exitCodeOf } from "../../cli/errors.ts";
import { openClient, readAllPages } from "../../cli/worker-client.ts";
import { unwrap } from "../../client/index.ts";

let server: Server;
let url: string;
/** Statuses of the next responses, which ask for a retry. */
let later: number[];
let paths: string[];

const PROBLEM = { "content-type": "application/problem+json", "x-request-id": "1" };

beforeEach(async () => {
  paths = [];
  later = [];
  server = createServer(({ url: path = "", headers }, response) => {
    paths.push(path);
    if (path.startsWith("/v1/info")) {
      response.end("<h1>Somebody else's page</h1>");
    } else if (headers.authorization === undefined) {
      response
        .writeHead(401, PROBLEM)
        .end(JSON.stringify({ code: "key_missing", detail: "This needs a key.", hint: "A header." }));
    } else if (later.length > 0) {
      response
        .writeHead(later.shift() ?? 0, { ...PROBLEM, "retry-after": "1" })
        .end(JSON.stringify({ code: "overloaded", detail: "Too much.", hint: "Wait." }));
    } else {
      response
        .writeHead(200, { "content-type": "application/json", "x-request-id": "1" })
        .end('{"tasks":[],"next":null}');
    }
  }).listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server listens on no port");
  url = `http://localhost:${address.port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const list = (key?: string) => unwrap(openClient({ url, ...(key && { key }) }).v1.tasks.$get({ query: {} }));
const failing = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail("it was answered"),
    (error: unknown) => error,
  );

it.each([
  ["has too much to do", 503],
  ["is rate limited", 429],
])("retries a Worker that %s, after the delay it states", async (_, status) => {
  later = [status];
  const start = performance.now();
  expect(await list("xpk_1")).toEqual({ tasks: [], next: null });
  expect(paths).toHaveLength(2);
  expect(performance.now() - start).toBeGreaterThan(900);
});

it("says how to pass a key if it has none", async () => {
  const error = await failing(list());
  expect(describeError(error)).toMatch(/^key_missing: This needs a key\.\n {2}.*--key/);
  expect(exitCodeOf(error)).toBe(1);
});

it("rejects the response of another server", async () => {
  const error = await failing(unwrap(openClient({ url }).v1.info.$get()));
  expect(describeError(error)).toMatch(/\/v1\/info answered 200, but not as an xpeft-edge Worker does\.\n {2}.*--url/);
});

it("distinguishes an unreachable Worker from a rejection", async () => {
  const error = await failing(unwrap(openClient({ url: "http://localhost:1" }).healthz.$get()));
  expect(describeError(error)).toMatch(
    /^There is no answer from http:\/\/localhost:1\.\n {2}because: .*\n {2}.*npm start/,
  );
  expect(exitCodeOf(error)).toBe(3);
});

it.each(["nowhere", "localhost:8787", "ftp://localhost"])(
  "rejects %s as a Worker's URL, and says what is valid",
  async (wrong) => {
    const error = await failing((async () => openClient({ url: wrong }))());
    expect(describeError(error)).toMatch(/ is not the URL of a Worker\.\n {2}.*http:\/\//);
    expect(exitCodeOf(error)).toBe(2);
  },
);

it("follows the pages of a list to the end", async () => {
  const pages: Record<string, { rows: string[]; next: string | null }> = {
    "": { rows: ["a", "b"], next: "b" },
    b: { rows: ["c"], next: null },
  };
  const queries: object[] = [];
  const rows = readAllPages(async (query) => {
    queries.push(query);
    return pages[query.after] ?? { rows: [], next: null };
  });
  expect(await Array.fromAsync(rows)).toEqual(["a", "b", "c"]);
  expect(queries).toEqual([
    { limit: 1000, after: "" },
    { limit: 1000, after: "b" },
  ]);
});
