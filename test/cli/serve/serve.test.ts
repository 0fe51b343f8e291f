import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, run } from "../../support/processes.ts";
import { databaseIn, type ServeProcess, serveProcess } from "../../support/server.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "xpeft-serve-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a server that does not start. */
const serve = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  run(["cli/xpeft.ts", "serve", "--database", databaseIn(folder), ...args], env);

describe("xpeft serve --demo", () => {
  const start = () => serveProcess({ folder, args: ["--demo"] });
  const keys = async (): Promise<string[]> => {
    const { stdout } = await run(["cli/xpeft.ts", "keys", "list", "--json", "--database", databaseIn(folder)]);
    return JSON.parse(stdout).map(({ name }: { name: string }) => name);
  };
  const page = async ({ url }: ServeProcess, headers: Record<string, string>) =>
    /xpk_[\w-]+/.exec(await (await fetch(`${url}/`, { headers })).text())?.[0];

  it("answers without a key, gives its own page a key, and ends on Ctrl-C", async () => {
    const server = await start();
    const response = await fetch(`${server.url}/v1/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ task: "news", profile: "news-000", inputs: "Senate passes bill after long night" }),
    });
    expect(await response.json()).toMatchObject({ predictions: [{ label: "POLITICS" }] });
    expect(await page(server, {})).toBeUndefined();
    const key = await page(server, { "sec-fetch-dest": "document" });
    const list = (authorization: string) => fetch(`${server.url}/v1/profiles/news`, { headers: { authorization } });
    expect((await list(`Bearer ${key}`)).status).toBe(200);
    expect(server.output.stderr).toContain(`Ready: ${server.url}/`);
    expect(await server.stop("SIGINT")).toBe(0);
  });

  it("has one key for its page, however often it starts, and none without --demo", async () => {
    await (await start()).stop();
    expect(await keys()).toEqual(["playground of --demo"]);
    await (await serveProcess({ folder })).stop();
    expect(await keys()).toEqual([]);
  });

  it("gives its page no key where other machines reach it, or through a proxy", async () => {
    const document = { host: "localhost", "sec-fetch-dest": "document" };
    const local = await start();
    expect(await page(local, { ...document, "x-forwarded-for": "192.0.2.1" })).toBeUndefined();
    await local.stop();
    const open = await serveProcess({ folder, args: ["--demo", "--host", "0.0.0.0"] });
    expect(await page(open, document)).toBeUndefined();
    await open.stop();
  });
});

it("names the variables that nothing reads, and takes those without a value for unset", async () => {
  const server = await serveProcess({ folder, env: { XPEFT_RATE_LIMITS: "5", XPEFT_METRICS_PORT: "" } });
  expect(server.output.stderr).toMatch(/^The server does not read .*XPEFT_RATE_LIMITS/);
  expect(await server.stop()).toBe(0);
});

describe("a server that cannot start says why, and what to do", () => {
  it.each([[[]], [["--workers", "2"]]])("if its port is in use, with %o", async (args) => {
    const port = await freePort();
    const other = createServer().listen(port, "127.0.0.1");
    const { code, stderr } = await serve(["--port", String(port), ...args]);
    other.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/127\.0\.0\.1:\d+ cannot be opened\.\n {2}because: .*EADDRINUSE.*\n {2}Choose another port/);
  });

  it.each([
    [{ XPEFT_CACHE_TTL_SECONDS: "soon" }, "invalid_setting: The variable XPEFT_CACHE_TTL_SECONDS"],
    [{ XPEFT_RATE_LIMIT: "many" }, 'XPEFT_RATE_LIMIT is "many".\n  Give a whole number'],
    [{ XPEFT_TRUSTED_PROXIES: "-1" }, 'XPEFT_TRUSTED_PROXIES is "-1".\n  Give a whole number'],
    [{ XPEFT_CORS_ORIGINS: "example.com" }, "The variable XPEFT_CORS_ORIGINS"],
  ])("if the environment has %o", async (env, message) => {
    const { code, stderr } = await serve([], env);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it.each([
    [["--database", "none", "--demo"], "--demo needs one database"],
    [["--database", "file:a.db", "file:b.db", "--demo"], "--demo needs one database"],
    [["--database", "none", "file:b.db"], "is for a service of profile tokens alone"],
    [["--database", ":memory:"], "is empty in each connection"],
    [["--database", "http://127.0.0.1:1"], "The migrations cannot be applied to http://127.0.0.1:1"],
    [["--database", "http://127.0.0.1:1?authToken=very-secret"], "XPEFT_DATABASE_TOKEN"],
    [["--database", "gopher://host"], "gopher"],
    [["--bundle", "docs"], "bundle_file_missing"],
  ])("with %o", async (args, message) => {
    const { code, stderr } = await run(["cli/xpeft.ts", "serve", "--port", String(await freePort()), ...args], {
      XPEFT_DATABASE: databaseIn(folder),
    });
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("very-secret");
    expect(stderr.trim().split("\n").length).toBeGreaterThan(1);
  });

  it("if its bundle's folder does not exist", async () => {
    const { code, stderr } = await serve(["--bundle", "no-such-folder"]);
    expect(code).toBe(2);
    expect(stderr).toContain("argument 'no-such-folder' is invalid. There is no such folder.");
  });

  it("if its database is another file", async () => {
    const text = join(folder, "text.db");
    await writeFile(text, "Not a database, but long enough for the header of one. ".repeat(100));
    const { code, stderr } = await serve(["--database", `file:${text}`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/text\.db cannot be opened\.\n {2}because: file is not a database\n {2}Restore a backup/);
  });
});
