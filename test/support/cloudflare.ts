import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { buffer } from "node:stream/consumers";

export const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** A request: the path's captured groups, the raw body and the query. */
interface ApiRequest {
  readonly parts: string[];
  readonly body: Buffer;
  readonly query: URLSearchParams;
}

type Answer = (request: ApiRequest) => unknown;

/** A stand-in for the part of Cloudflare's API that a deploy uses. Its D1 is SQLite in this process. */
export interface FakeCloudflare {
  readonly url: string;
  /** Requests that changed something, as method and path. */
  readonly changes: string[];
  /** Requests to unknown routes. */
  readonly unknown: string[];
  readonly databases: Map<string, { uuid: string; sqlite: DatabaseSync }>;
  readonly secrets: Map<string, Map<string, string>>;
  close(): Promise<void>;
}

function runSql(sqlite: DatabaseSync, sql: string) {
  const reads = /^\s*(SELECT|PRAGMA)\b/i.test(sql) && !/;\s*\S/.test(sql);
  const results = reads ? sqlite.prepare(sql).all() : [];
  if (!reads) sqlite.exec(sql);
  return [{ results, success: true, meta: { duration: 0, rows_read: 0, rows_written: 0 } }];
}

/** Starts the stand-in on a free port. */
export async function startCloudflare(): Promise<FakeCloudflare> {
  const changes: string[] = [];
  const unknown: string[] = [];
  const databases: FakeCloudflare["databases"] = new Map();
  const secrets: FakeCloudflare["secrets"] = new Map();
  const scripts = new Set<string>();
  const byUuid = (uuid: string) => [...databases.values()].find((database) => database.uuid === uuid)?.sqlite;
  const infoOf = (name: string) => {
    const found = databases.get(name);
    return found && { uuid: found.uuid, name, version: "production", file_size: 0, num_tables: 0 };
  };
  const json = ({ body }: ApiRequest) => JSON.parse(body.toString());
  const account = `/accounts/${ACCOUNT}`;

  const routes: [method: string, path: string, answer: Answer][] = [
    ["GET", "/user", () => ({ id: "1", email: "someone@example.com" })],
    ["GET", "/user/tokens/verify", () => ({ id: "1", status: "active" })],
    ["GET", "/accounts", () => [{ id: ACCOUNT, name: "Test" }]],
    ["GET", "/memberships", () => [{ account: { id: ACCOUNT, name: "Test" } }]],
    [
      "GET",
      `${account}/d1/database`,
      ({ query }) => (query.get("page") === "1" || !query.has("page") ? [...databases.keys()].map(infoOf) : []),
    ],
    ["GET", `${account}/d1/database/([^/]+)`, ({ parts: [name = ""] }) => infoOf(name)],
    [
      "POST",
      `${account}/d1/database`,
      (request) => {
        const { name } = json(request);
        databases.set(name, { uuid: randomUUID(), sqlite: new DatabaseSync(":memory:") });
        return infoOf(name);
      },
    ],
    [
      "POST",
      `${account}/d1/database/([^/]+)/query`,
      (request) => {
        const sqlite = byUuid(request.parts[0] ?? "");
        return sqlite && runSql(sqlite, json(request).sql);
      },
    ],
    [
      "GET",
      `${account}/workers/services/([^/]+)`,
      ({ parts: [name = ""] }) =>
        scripts.has(name)
          ? {
              id: name,
              default_environment: { environment: "production", script: { tag: "1", last_deployed_from: "wrangler" } },
            }
          : undefined,
    ],
    [
      "GET",
      `${account}/workers/workers/([^/]+)`,
      ({ parts: [name = ""] }) => ({ id: "1", name, tags: [], subdomain: { enabled: true, previews_enabled: false } }),
    ],
    ["PATCH", `${account}/workers/scripts/[^/]+/script-settings`, () => ({ tags: [] })],
    [
      "POST",
      `${account}/workers/scripts/[^/]+/versions`,
      () => ({ id: "2", startup_time_ms: 1, metadata: {}, resources: { script: { etag: "2" }, bindings: [] } }),
    ],
    ["POST", `${account}/workers/scripts/[^/]+/deployments`, () => ({ id: "2" })],
    ["GET", `${account}/workers/subdomain`, () => ({ subdomain: "someone" })],
    ["GET", `${account}/workers/scripts/[^/]+/subdomain`, () => ({ enabled: true, previews_enabled: false })],
    ["POST", `${account}/workers/scripts/[^/]+/subdomain`, () => ({ enabled: true, previews_enabled: false })],
    ["POST", `${account}/workers/scripts/[^/]+/assets-upload-session`, () => ({ jwt: "a.b.c", buckets: [] })],
    [
      "PUT",
      `${account}/workers/scripts/([^/]+)`,
      ({ parts: [name = ""] }) => {
        scripts.add(name);
        return { id: name, tag: "1", deployment_id: "1", startup_time_ms: 1 };
      },
    ],
    [
      "GET",
      `${account}/workers/scripts/([^/]+)/secrets`,
      ({ parts: [name = ""] }) =>
        scripts.has(name)
          ? [...(secrets.get(name)?.keys() ?? [])].map((secret) => ({ name: secret, type: "secret_text" }))
          : undefined,
    ],
    [
      "PUT",
      `${account}/workers/scripts/([^/]+)/secrets`,
      (request) => {
        const [script = ""] = request.parts;
        const { name, text } = json(request);
        secrets.set(script, (secrets.get(script) ?? new Map()).set(name, text));
        return { name, type: "secret_text" };
      },
    ],
  ];

  async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const route = `${request.method} ${pathname}`;
    const body = await buffer(request);
    for (const [method, path, respond] of routes) {
      const match = new RegExp(`^${path}$`).exec(pathname);
      if (request.method !== method || !match) continue;
      const result = respond({ parts: match.slice(1), body, query: searchParams });
      if (result === undefined) break;
      if (method !== "GET" && !pathname.endsWith("/query")) changes.push(route);
      return {
        status: 200,
        body: {
          success: true,
          errors: [],
          messages: [],
          result,
          result_info: { page: 1, per_page: 100, count: 1, total_count: 1 },
        },
      };
    }
    unknown.push(route);
    return {
      status: 404,
      body: {
        success: false,
        errors: [{ code: 10007, message: `${route} is not known.` }],
        messages: [],
        result: null,
      },
    };
  }

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body }) =>
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
      (error: unknown) =>
        response.writeHead(500, { "content-type": "application/json" }).end(
          JSON.stringify({
            success: false,
            errors: [{ code: 1, message: String(error) }],
            messages: [],
            result: null,
          }),
        ),
    );
  }).listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server listens on no port");
  return {
    url: `http://localhost:${address.port}`,
    changes,
    unknown,
    databases,
    secrets,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
