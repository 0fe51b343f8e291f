import { BOOKMARK, bookmarkPattern } from "./http/bookmarks.ts";
import type { App } from "./http/env.ts";
import type { Platform } from "./platform/platform.ts";

const LICENCE_URL = "https://www.apache.org/licenses/LICENSE-2.0";

/** The field of an operation that names the scope it needs. */
const SCOPE = "x-scope";

const OPERATIONS = ["get", "put", "post", "delete"] as const;

const SECURITY_SCHEMES = {
  key: {
    type: "http",
    scheme: "bearer",
    description: "A key made by `xpeft keys create`: xpk_…",
  },
  token: {
    type: "http",
    scheme: "bearer",
    description: "A profile token made by POST /v1/profiles/{task}/{profile}/token.",
  },
} as const;

/** Parameters of every operation, then those of operations that need a key or a token. */
const PARAMETERS = {
  request: {
    name: "x-request-id",
    in: "header",
    required: false,
    description: "The caller's id for the request. Without it the service generates one.",
    schema: { type: "string" },
    example: "order-4711",
  },
  bookmark: {
    name: BOOKMARK,
    in: "header",
    required: false,
    description: "The bookmark of an earlier answer. Reads are at least as new.",
    schema: { type: "string", pattern: bookmarkPattern(1).source },
    example: "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683",
  },
  fresh: {
    name: "cache-control",
    in: "header",
    required: false,
    description: "With no-cache, the answer skips the caches.",
    schema: { type: "string" },
    example: "no-cache",
  },
} as const;

/** Headers of answers: of all, of operations that need a key or a token, and of single statuses. */
const HEADERS = {
  request: { description: "The request's id.", schema: { type: "string" } },
  timing: { description: "Milliseconds of each step.", schema: { type: "string" } },
  bookmark: {
    description: "The state of the database that the answer read; absent if it read none.",
    schema: { type: "string" },
  },
  retry: { description: "Seconds to wait; with rate_limited and overloaded.", schema: { type: "string" } },
  authenticate: { description: "Bearer.", schema: { type: "string" } },
} as const;

const parameter = (name: keyof typeof PARAMETERS) => ({ $ref: `#/components/parameters/${name}` });
const header = (name: keyof typeof HEADERS) => ({ $ref: `#/components/headers/${name}` });

/**
 * Registers `GET /openapi.json`: the document of the schemas that validate requests. It describes this deploy: whether
 * predictions need a key, and the bookmarks of its number of databases.
 */
export function registerOpenApi(app: App): void {
  const { openAPIRegistry: registry } = app;
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    registry.registerComponent("securitySchemes", name, scheme);
  }
  for (const [name, of] of Object.entries(PARAMETERS)) registry.registerComponent("parameters", name, of);
  for (const [name, of] of Object.entries(HEADERS)) registry.registerComponent("headers", name, of);

  const documents = new Map<string, string>();
  app.get("/openapi.json", (c) => {
    const { platform } = c.env;
    const { publicPredict } = platform.settings();
    const databases = platform.databases.count();
    const key = `${publicPredict} ${databases}`;
    const document = documents.get(key) ?? JSON.stringify(describe(app, platform.about, publicPredict, databases));
    documents.set(key, document);
    return c.body(document, 200, { "content-type": "application/json" });
  });
}

function describe(app: App, about: Platform["about"], publicPredict: boolean, databases: number) {
  const { version, description, license } = about;
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "xpeft-edge", version, description, license: { name: license, url: LICENCE_URL } },
    servers: [{ url: "/", description: "This deploy." }],
    tags: [
      { name: "Predict", description: "Texts in, labels out, under a profile." },
      { name: "Registry", description: "Tasks and profiles, with compare-and-swap by generation." },
      { name: "Tokens", description: "Profiles that travel with requests." },
      { name: "Service", description: "What is served, and whether it works." },
    ],
  });
  const bookmark = {
    ...PARAMETERS.bookmark,
    schema: { type: "string" as const, pattern: bookmarkPattern(databases).source },
    example: Array(Math.max(1, databases)).fill(PARAMETERS.bookmark.example).join("."),
  };
  document.components = {
    ...document.components,
    parameters: { ...document.components?.parameters, bookmark },
  };
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of OPERATIONS) {
      const operation = path[method];
      if (!operation) continue;
      const guarded = operation[SCOPE] !== undefined;
      operation.parameters = [
        ...(operation.parameters ?? []),
        parameter("request"),
        ...(guarded ? [parameter("bookmark"), parameter("fresh")] : []),
      ];
      if (operation[SCOPE] === "predict" && publicPredict) operation.security = [...(operation.security ?? []), {}];
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        response.headers = {
          ...response.headers,
          "x-request-id": header("request"),
          "server-timing": header("timing"),
          ...(guarded && { [BOOKMARK]: header("bookmark") }),
          ...((status === "429" || status === "503") && { "retry-after": header("retry") }),
          ...(status === "401" && { "www-authenticate": header("authenticate") }),
        };
      }
    }
  }
  return document;
}
