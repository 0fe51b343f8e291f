import { description, license, version } from "../package.json";
import { BOOKMARK, BOOKMARK_PATTERN } from "./database.ts";
import type { App } from "./env.ts";
import { readSettings } from "./settings.ts";

/** Where an operation's description tells which scope it takes. */
const SCOPE = "x-scope";

const OPERATIONS = ["get", "put", "post", "delete"] as const;

const SECURITY_SCHEMES = {
  key: {
    type: "http",
    scheme: "bearer",
    description: "A key that `xpeft keys create` has made: xpk_…",
  },
  token: {
    type: "http",
    scheme: "bearer",
    description: "A profile token that POST /v1/profiles/{task}/{profile}/token has made.",
  },
} as const;

/** What every guarded operation takes. */
const PARAMETERS = {
  bookmark: {
    name: BOOKMARK,
    in: "header",
    required: false,
    description: "The bookmark of an earlier answer: what is read is at least as new.",
    schema: { type: "string", pattern: BOOKMARK_PATTERN.source },
    example: "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683",
  },
  fresh: {
    name: "cache-control",
    in: "header",
    required: false,
    description: "With no-cache, nothing is answered from the caches.",
    schema: { type: "string" },
    example: "no-cache",
  },
} as const;

/** What every answer has. */
const HEADERS = {
  request: { description: "The request's id; the caller's own, if it sent one.", schema: { type: "string" } },
  timing: { description: "Milliseconds of each step.", schema: { type: "string" } },
} as const;

/** `GET /openapi.json`: the API's description, made of the schemas that the routes check with. */
export function registerOpenApi(app: App): void {
  const { openAPIRegistry: registry } = app;
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    registry.registerComponent("securitySchemes", name, scheme);
  }
  for (const [name, parameter] of Object.entries(PARAMETERS)) {
    registry.registerComponent("parameters", name, parameter);
  }
  for (const [name, header] of Object.entries(HEADERS)) registry.registerComponent("headers", name, header);

  app.get("/openapi.json", (c) => c.json(describe(app, readSettings(c.env).publicPredict)));
}

/** @param publicPredict whether this deploy takes predictions without a key: the description then says so */
function describe(app: App, publicPredict: boolean) {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "xpeft-edge", version, description, license: { name: license } },
    tags: [{ name: "Predict" }, { name: "Registry" }, { name: "Tokens" }, { name: "Service" }],
  });
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of OPERATIONS) {
      const operation = path[method];
      if (!operation) continue;
      if (operation[SCOPE] !== undefined) {
        const common = Object.keys(PARAMETERS).map((name) => ({ $ref: `#/components/parameters/${name}` }));
        operation.parameters = [...(operation.parameters ?? []), ...common];
      }
      if (operation[SCOPE] === "predict" && publicPredict) operation.security = [...(operation.security ?? []), {}];
      for (const response of Object.values(operation.responses ?? {})) {
        response.headers = {
          ...response.headers,
          "x-request-id": { $ref: "#/components/headers/request" },
          "server-timing": { $ref: "#/components/headers/timing" },
        };
      }
    }
  }
  return document;
}
