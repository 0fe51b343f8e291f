import { readdir, readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createApp } from "../../../app/app.ts";
import { readAbout } from "../../../node/package.ts";
import type { Servers } from "../conformance.ts";
import { differingHeaders, platformOf } from "../exceptions.ts";
import { type Answer, type AskOptions, ask, type Json, lineOf, NDJSON } from "../http.ts";
import { ORIGIN, type RuntimeName } from "../runtime.ts";

// As a browser opens a page: without a key.
const PLAIN = { key: null, headers: { "accept-encoding": "identity" } };
const GZIP = { key: null, headers: { "accept-encoding": "gzip" } };
const PREDICT = { body: { task: "demo", profile: "demo-000", inputs: "Some text." } };
const PREFLIGHT = { key: null, headers: { origin: ORIGIN, "access-control-request-method": "POST" } };

/** Returns a request of each kind of answer. */
async function kindsOfAnswers(
  bundle: string,
): Promise<(readonly [method: string, path: string, options?: AskOptions])[]> {
  const assets = await readdir("dist/assets/docs/assets");
  const asset = (suffix: string) => `/docs/assets/${assets.find((name) => name.endsWith(suffix))}`;
  return [
    ["GET", "/", PLAIN],
    ["HEAD", "/", PLAIN],
    ["GET", "/teach", PLAIN],
    ["GET", "/learn", PLAIN],
    ["GET", "/api", PLAIN],
    ["GET", "/api/viewer.js", GZIP],
    ["GET", "/api/viewer.css", PLAIN],
    ["GET", "/app.js", GZIP],
    ["GET", "/app.js", PLAIN],
    ["HEAD", "/app.js", GZIP],
    ["GET", "/local.js", GZIP],
    ["GET", "/docs", PLAIN],
    ["GET", "/docs/", PLAIN],
    ["HEAD", "/docs/", PLAIN],
    ["GET", "/docs/tutorial", PLAIN],
    ["GET", "/docs/tutorial?a=b", PLAIN],
    ["GET", "/docs/tutorial/", PLAIN],
    ["GET", "/docs/tutorial.html", PLAIN],
    ["GET", "/docs/index.html", PLAIN],
    ["GET", "/docs/tutorial.html?a=b", PLAIN],
    ["GET", "//docs//tutorial", PLAIN],
    ["GET", "/docs/no-such", PLAIN],
    ["GET", "/docs/no-such/", PLAIN],
    ["GET", "/docs/assets", PLAIN],
    ["GET", asset(".js"), PLAIN],
    ["GET", asset(".css"), PLAIN],
    ["GET", asset(".webp"), PLAIN],
    ["GET", asset(".svg"), PLAIN],
    ["GET", "/docs/assets/no-such.js", PLAIN],
    ["POST", "/docs/"],
    ["GET", "/openapi.json"],
    ["GET", "/healthz"],
    ["GET", "/v1/info"],
    ["GET", "/v1/bundle"],
    ["GET", `/v1/bundle/${bundle}/tokenizer.json`],
    ["GET", "/v1/bundle/other/tokenizer.json"],
    ["OPTIONS", "/v1/predict", PREFLIGHT],
    ["OPTIONS", "/v1/predict"],
    ["GET", "/v1/tasks", { headers: { origin: ORIGIN } }],
    ["GET", "/v1/tasks", { key: null, headers: { origin: ORIGIN } }],
    ["GET", "/v1/tasks/demo"],
    ["GET", "/v1/profiles/demo/demo-000"],
    ["GET", "/v1/tasks/demo/export?limit=1"],
    ["DELETE", "/v1/profiles/demo/nobody"],
    ["POST", "/v1/predict", PREDICT],
    ["GET", "/v1/predict"],
    ["POST", "/v1/predict", { body: "{" }],
    ["POST", "/v1/predict/stream?task=demo&profile=demo-000", { body: lineOf({ text: "a" }), headers: NDJSON }],
    ["POST", "/v1/fanout", { body: { task: "demo", text: "a", profiles: "all" } }],
    ["POST", "/v1/profiles/demo/x/learn", { body: { examples: [] } }],
    ["GET", "/v1/hf/demo/demo-000/health"],
    ["GET", "/no-such"],
  ];
}

/** Hides what differs from answer to answer. */
const stable = (value: string): string =>
  value
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<id>")
    .replace(/dur=[0-9.]+/g, "dur=<ms>")
    .replace(/nonce-[^']+/g, "nonce-<nonce>");

/** Pages, documents, and every header of every kind of answer. */
export function pages(name: RuntimeName, servers: Servers): void {
  describe("pages and headers", () => {
    let differing: ReadonlySet<string>;
    let bundle: string;
    beforeAll(async () => {
      differing = await differingHeaders();
      bundle = (await ask(servers.main, "GET", "/v1/info")).json().bundle.id;
    });

    const get = (path: string, options?: AskOptions) => ask(servers.main, "GET", path, options);

    function headerLines({ headers, bytes }: Answer, method: string): string[] {
      const length = headers["content-length"];
      if (length !== undefined && method !== "HEAD") expect(length).toBe(String(bytes.length));
      const shown = Object.entries(headers).filter(([name]) => !differing.has(name));
      return shown
        .map(([name, value = ""]) => `${name}: ${name === "etag" && !/^"\d+"$/.test(value) ? "<hash>" : stable(value)}`)
        .sort();
    }

    // `npx vitest run test/conformance/workerd.test.ts -u` writes the file, if a change is intended.
    it("have the headers of the file, whatever the runtime", async () => {
      const common = headerLines(await get("/no-such"), "GET").filter((line) => !line.startsWith("content-type"));
      const lines = ["All, unless a line below begins with -", ...common.map((line) => `  ${line}`), ""];
      for (const [method, path, options] of await kindsOfAnswers(bundle)) {
        const answer = await ask(servers.main, method, path, options);
        const own = headerLines(answer, method);
        const differences = [
          `  ${answer.status}`,
          ...common.filter((line) => !own.includes(line)).map((line) => `  - ${line}`),
          ...own.filter((line) => !common.includes(line)).map((line) => `  ${line}`),
        ];
        const named = path.replace(bundle, "<bundle>").replace(/\.[\w-]{8}(\.lean)?\.(?=\w+$)/, ".<hash>$1.");
        const encoding = options?.headers?.["accept-encoding"];
        lines.push(`${method} ${named}${encoding ? `, ${encoding}` : ""}`, ...differences, "");
      }
      await expect(lines.join("\n")).toMatchFileSnapshot("../fixtures/conformance/headers.txt");
    });

    it("include a bookmark where the platform has replicas", async () => {
      const { headers } = await get("/v1/tasks");
      const own = headers["x-d1-bookmark"];
      expect(own === undefined ? "no" : "yes").toBe(await platformOf(name, "bookmarks in `x-d1-bookmark`"));
      const again = await get("/v1/tasks", { headers: { "x-d1-bookmark": own ?? "0-1" } });
      expect([again.status, again.headers["x-d1-bookmark"]]).toEqual([
        200,
        own === undefined ? "0-1" : expect.any(String),
      ]);
    });

    it("are the built pages", async () => {
      const page = await readFile("dist/pages/playground.html", "utf8");
      for (const path of ["/", "/teach", "/profiles"]) {
        const answer = await get(path, PLAIN);
        const [, nonce = ""] = /'nonce-([^']+)'/.exec(answer.headers["content-security-policy"] ?? "") ?? [];
        expect(answer.text === page.replaceAll("%NONCE%", nonce).replaceAll("%LOCAL_KEY%", "")).toBe(true);
      }
      const script = await readFile("dist/pages/app.js.gz");
      expect((await get("/app.js", GZIP)).bytes.equals(script)).toBe(true);
      expect((await get("/app.js", PLAIN)).bytes.equals(gunzipSync(script))).toBe(true);
    });

    it("of the documentation are the built site", async () => {
      for (const [path, file] of [
        ["/docs/", "index"],
        ["/docs/tutorial", "tutorial"],
        ["/docs/no-such", "404"],
      ]) {
        expect((await get(path ?? "", PLAIN)).text === (await readFile(`dist/assets/docs/${file}.html`, "utf8"))).toBe(
          true,
        );
      }
      const first = await get("/docs/tutorial", PLAIN);
      const again = await get("/docs/tutorial", { headers: { "if-none-match": first.headers.etag ?? "" } });
      expect([again.status, again.text]).toEqual([304, ""]);
    });

    it("include an OpenAPI document, byte for byte that of the app", async () => {
      vi.spyOn(console, "log").mockImplementation(() => {});
      onTestFinished(() => void vi.restoreAllMocks());
      const app = createApp();
      for (const [runtime, databases] of [
        [servers.main, 1],
        [servers.limited, 2],
      ] as const) {
        const platform = {
          about: readAbout(),
          settings: () => ({ publicPredict: true, corsOrigins: [] }),
          databases: { count: () => databases },
          observe: () => {},
        };
        // The document needs no more of a platform.
        const expected = await app.request(
          "/openapi.json",
          {},
          { platform: platform as Json, callerAddress: "unknown" },
          undefined as Json,
        );
        expect((await ask(runtime, "GET", "/openapi.json", { key: null })).text).toBe(await expected.text());
      }
    });
  });
}
