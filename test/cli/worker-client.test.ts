import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { Command } from "commander";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseKey, parseUrl } from "../../cli/arguments.ts";
import { describeError, exitCodeOf } from "../../cli/errors.ts";
import { addWorkerOptions, describeWorker } from "../../cli/options.ts";
import { openClient, readAllPages } from "../../cli/worker-client.ts";
import { unwrap } from "../../client/index.ts";

let server: Server;
let url: string;
/** Statuses of the next responses, which ask for a retry. */
let later: number[];
let paths: string[];

/** The headers of every response of a Worker. */
const WORKER = { "x-request-id": "1", "server-timing": "total;dur=1" };
const PROBLEM = { ...WORKER, "content-type": "application/problem+json" };

beforeEach(async () => {
  paths = [];
  later = [];
  server = createServer(({ url: path = "", headers }, response) => {
    paths.push(path);
    if (path.startsWith("/v1/info")) {
      response.setHeader("server", "Elsewhere/1.0").end("<h1>Somebody else's page</h1>");
    } else if (path.startsWith("/healthz")) {
      response.writeHead(404, { ...WORKER, "content-type": "text/html" }).end("<h1>A framework's page</h1>");
    } else if (headers.authorization === undefined) {
      response
        .writeHead(401, PROBLEM)
        .end(JSON.stringify({ code: "key_missing", detail: "This needs a key.", hint: "A header." }));
    } else if (later.length > 0) {
      response
        .writeHead(later.shift() ?? 0, { ...PROBLEM, "retry-after": "1" })
        .end(JSON.stringify({ code: "overloaded", detail: "Too much.", hint: "Wait." }));
    } else {
      response.writeHead(200, { ...WORKER, "content-type": "application/json" }).end('{"tasks":[],"next":null}');
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

it("names another server that answers, and says how to name the Worker", async () => {
  const page = await failing(unwrap(openClient({ url }).v1.info.$get()));
  expect(describeError(page)).toMatch(
    /^http:\/\/localhost:\d+ answered, but is no xpeft Worker: \/v1\/info got status 200 from "Elsewhere\/1\.0"\.\n {2}.*--url/,
  );
  const framework = await failing(unwrap(openClient({ url }).healthz.$get()));
  expect(describeError(framework)).toMatch(/answered, but is no xpeft Worker: \/healthz got status 404\.\n/);
});

it("names a server of another protocol", async () => {
  const shell = createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n")).listen(0, "localhost");
  await once(shell, "listening");
  const { port } = shell.address() as AddressInfo;
  const overHttp = await failing(unwrap(openClient({ url: `http://localhost:${port}` }).healthz.$get()));
  expect(describeError(overHttp)).toMatch(
    /^http:\/\/localhost:\d+ answered, but is no xpeft Worker: its answer is of another protocol\.\n {2}because: .*\n {2}.*--url/,
  );
  const overTls = await failing(unwrap(openClient({ url: `https://localhost:${port}` }).healthz.$get()));
  expect(describeError(overTls)).toMatch(/^https:\/\/localhost:\d+ answered, but is no xpeft Worker/);
  shell.close();
});

it("names the Worker whose answer is an error, and whether its address is the default", async () => {
  const error = await failing(list());
  const answeredBy = (...args: string[]) => {
    const command = addWorkerOptions(new Command(), ["predict"]).parse(args, { from: "user" });
    return describeError(error, describeWorker(command));
  };
  expect(answeredBy("--url", url)).toMatch(/^key_missing: .*\n {2}answered by http:\/\/localhost:\d+\n {2}Give a key/);
  expect(answeredBy()).toMatch(/\n {2}answered by http:\/\/localhost:8787, the default address\. .*XPEFT_URL\.\n/);
});

it("distinguishes an unreachable Worker from a rejection", async () => {
  const error = await failing(unwrap(openClient({ url: "http://localhost:1" }).healthz.$get()));
  expect(describeError(error)).toMatch(
    /^There is no answer from http:\/\/localhost:1\.\n {2}because: .*\n {2}.*npm start/,
  );
  expect(exitCodeOf(error)).toBe(3);
});

it.each([
  ["http://localhost:8787", "http://localhost:8787"],
  [" https://worker.example/\n", "https://worker.example"],
  ["http://worker.example/behind/a/proxy/", "http://worker.example/behind/a/proxy"],
])("accepts %j as the address of a Worker", (text, address) => {
  expect(parseUrl(text)).toBe(address);
});

it.each([
  "",
  "nowhere",
  "localhost:8787",
  "ftp://localhost",
  '"http://localhost:8787"',
  "http://localhost:8787 http://localhost",
  "http://worker.example/a b",
  "http://me:secret@worker.example",
  "http://worker.example/?q",
  "http://worker.example/#top",
])("rejects %j as the address of a Worker, and says what is valid", (wrong) => {
  expect(() => parseUrl(wrong)).toThrow(/with http:\/\/ or https:\/\//);
});

it("accepts a key with spaces around it, and shows no other one", () => {
  expect(parseKey(" xpk_1\n")).toBe("xpk_1");
  for (const wrong of ["Key xpk_1", "It is shown only now:\nxpk_1", "xpk_1…"]) {
    const error = (() => {
      try {
        return parseKey(wrong);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(describeError(error)).toMatch(/^The API key has .*\n {2}.*XPEFT_KEY/);
    expect(describeError(error)).not.toContain("xpk_1");
    expect(exitCodeOf(error)).toBe(2);
  }
});

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
