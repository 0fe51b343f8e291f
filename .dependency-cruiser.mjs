// The rule of imports: no circle, and an import goes down only. Type-only imports count.

/** Each layer with the layers below it, which it may import. */
const SRC = {
  errors: [],
  lib: ["errors"],
  text: ["errors", "lib"],
  bundle: ["errors", "lib", "text"],
  profiles: ["errors", "lib", "text", "bundle"],
  model: ["errors", "lib", "text", "bundle", "profiles"],
  storage: ["errors", "lib", "text", "bundle", "profiles"],
  learn: ["errors", "lib", "text", "bundle", "profiles", "model"],
  sharding: ["errors", "lib", "text", "bundle", "profiles", "storage"],
  auth: ["errors", "lib", "text", "bundle", "profiles", "storage"],
  serving: ["errors", "lib", "text", "bundle", "profiles", "model", "storage", "learn", "sharding", "auth"],
};

const APP = {
  platform: [],
  http: ["platform"],
  service: ["platform", "http"],
  middleware: ["platform", "http", "service"],
  routes: ["platform", "http", "service", "middleware"],
};

const PLAYGROUND = {
  api: [],
  local: ["api"],
  state: ["api"],
  parts: ["api", "state"],
  compare: ["api", "state", "parts"],
  teach: ["api", "state", "parts"],
  profiles: ["api", "state", "parts", "compare"],
  shell: ["api", "state", "parts", "compare", "teach", "profiles"],
};

/** Folders at the top, with those that they may import. */
const TOP = {
  schema: [],
  src: ["schema"],
  playground: ["src", "client"],
  app: ["src", "schema"],
  functions: ["app", "src", "dist/pages"],
  client: ["app", "src"],
  node: ["app", "src", "schema"],
  cli: ["node", "client", "src", "schema"],
};

const layers = (folder, rules) =>
  Object.entries(rules).map(([from, below]) => ({
    name: `${folder}/${from}`,
    comment: `${folder}/${from} imports ${["itself", ...below].join(", ")} only.`,
    severity: "error",
    from: { path: `^${folder}/${from}(/|\\.ts$)` },
    to: { path: `^${folder}/`, pathNot: [from, ...below].map((name) => `^${folder}/${name}(/|\\.ts$)`) },
  }));

const tops = Object.entries(TOP).map(([from, below]) => ({
  name: from,
  comment: `${from}/ imports ${["itself", ...below].join(", ")} only.`,
  severity: "error",
  from: { path: `^${from}/` },
  to: {
    path: "^[a-z]+/",
    dependencyTypesNot: ["core"],
    pathNot: ["node_modules", ...[from, ...below].map((name) => `^${name}/`)],
  },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    // Pages are built before the Worker is, so they may not be there yet.
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^cloudflare:|^#pages/" },
    },
    ...tops,
    ...layers("src", SRC),
    ...layers("app", APP),
    ...layers("playground", PLAYGROUND),
    {
      name: "client takes types",
      comment: "client/ takes types of app/ only: nothing of the service goes into its package.",
      severity: "error",
      from: { path: "^client/" },
      to: { path: "^app/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "client takes src for the local engine",
      comment: "client/local/ is the engine in a browser; the rest of client/ only asks the Worker.",
      severity: "error",
      from: { path: "^client/", pathNot: "^client/local/" },
      to: { path: "^(src|client/local)/" },
    },
    {
      name: "examples import the client alone",
      comment:
        "An example imports the client, Hono, zod and what all examples share: no other example, and no part of the client.",
      severity: "error",
      from: { path: "^examples/" },
      to: { pathNot: ["^client/index\\.ts$", "^examples/problems\\.ts$", "node_modules/(hono|zod)/"] },
    },
    {
      name: "app is of no platform",
      comment: "app/ knows a platform only by the interface that it is handed.",
      severity: "error",
      from: { path: "^app/" },
      to: { path: "node_modules/(wrangler|@cloudflare|@hono/node-server|@libsql)/|^cloudflare:" },
    },
    {
      name: "src is of no platform",
      comment: "src/ knows nothing of HTTP or Cloudflare.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "node_modules/(hono|wrangler|@cloudflare|@hono)/|^cloudflare:" },
    },
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    // What wrangler builds while an example runs.
    exclude: { path: "/\\.wrangler/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "workerd", "default", "types"] },
  },
};
