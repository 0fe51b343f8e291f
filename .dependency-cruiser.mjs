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

const FUNCTIONS = {
  http: [],
  platform: ["http"],
  middleware: ["http", "platform"],
  routes: ["http", "platform", "middleware"],
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
  functions: ["src", "schema", "dist/pages"],
  client: ["functions", "src"],
  node: ["src"],
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
      to: { couldNotResolve: true, pathNot: "^cloudflare:|/dist/pages/" },
    },
    ...tops,
    ...layers("src", SRC),
    ...layers("functions", FUNCTIONS),
    ...layers("playground", PLAYGROUND),
    {
      name: "client takes types",
      comment: "client/ takes types of functions/ only: nothing of the Worker goes into its package.",
      severity: "error",
      from: { path: "^client/" },
      to: { path: "^functions/", dependencyTypesNot: ["type-only"] },
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
