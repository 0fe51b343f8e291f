import cluster from "node:cluster";
import { styleText } from "node:util";
import { type Command, Option } from "commander";
import { CommandError } from "../../node/errors.ts";
import { readEnvironment, VARIABLES } from "../../node/server/configuration.ts";
import { libsqlDatabases } from "../../node/server/databases.ts";
import { numberDatabases } from "../../node/server/number-databases.ts";
import { migrateDatabase, type OpenDatabase, openDatabase } from "../../node/server/open-database.ts";
import { serverPlatform } from "../../node/server/platform.ts";
import { type RunningServer, startServer } from "../../node/server/server.ts";
import { loadOpenTelemetry } from "../../node/server/traces/packages.ts";
import { startWatch } from "../../node/server/watch.ts";
import { runWorkers, tellReady } from "../../node/server/workers.ts";
import { parseWholeNumber } from "../arguments.ts";
import { bundleOption } from "../bundle-option.ts";
import { exampleText } from "../command-line.ts";
import { prepareDemo } from "./demo.ts";
import { listenForMetrics } from "./metrics.ts";
import { explainPort, urlAt } from "./port.ts";

interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly database?: readonly string[];
  readonly bundle: string;
  readonly demo?: boolean;
  readonly native?: boolean;
  readonly workers: number;
  readonly grace: number;
  readonly metricsPort?: number;
}

const MAX_PORT = 65_535;
const MAX_WORKERS = 256;

/** In place of a database, for a service of profile tokens alone. */
const NO_DATABASE = "none";

const DATABASE = "file:xpeft.db";
const DEMO_DATABASE = "file:xpeft-demo.db";

const width = Math.max(...VARIABLES.map(({ name }) => name.length));

const HELP = `
Environment variables:
${VARIABLES.map(({ name, meaning, standard }) => `  ${name.padEnd(width)}  ${meaning} (default: ${standard})`).join("\n")}

OTEL_EXPORTER_OTLP_ENDPOINT, and OpenTelemetry's other variables, turn traces on (docs/operations.md).

The server applies missing migrations to its databases when it starts. On SIGTERM it ends its requests, then itself.
${exampleText("serve --demo", "serve --database file:/data/xpeft.db --host 0.0.0.0 --workers 4")}`;

function databasesOf({ database, demo }: ServeOptions): readonly string[] {
  const urls = database ?? [demo ? DEMO_DATABASE : DATABASE];
  if (!urls.includes(NO_DATABASE)) return urls;
  if (urls.length > 1 || demo) {
    throw new CommandError(
      `--database ${NO_DATABASE} is for a service of profile tokens alone.`,
      "Leave the other databases and --demo out, or leave it out.",
    );
  }
  return [];
}

const openDatabases = (urls: readonly string[], token: string | undefined): Promise<OpenDatabase[]> =>
  Promise.all(urls.map((url) => openDatabase(url, token)));

/** The demo answers without a key. */
const defaultsOf = ({ demo }: ServeOptions) => (demo ? { PUBLIC_PREDICT: "true" } : {});

/** Migrates the databases, and numbers several new ones. @returns further environment variables of the server */
async function prepare(options: ServeOptions): Promise<NodeJS.ProcessEnv> {
  const { databaseToken } = readEnvironment(process.env, defaultsOf(options));
  const opened = await openDatabases(databasesOf(options), databaseToken);
  try {
    for (const database of opened) await migrateDatabase(database);
    await numberDatabases(opened);
    const [first] = opened;
    return options.demo && first ? await prepareDemo(first.db, options.bundle) : {};
  } finally {
    for (const { client } of opened) client.close();
  }
}

/** Serves in this process. */
async function serveHere(options: ServeOptions): Promise<RunningServer> {
  const { settings, tokenKeys, databaseToken, limits, trustedProxies } = readEnvironment(
    process.env,
    defaultsOf(options),
  );
  const opened = await openDatabases(databasesOf(options), databaseToken);
  const watch = await startWatch(options.metricsPort !== undefined, process.env);
  const platform = await serverPlatform({
    databases: libsqlDatabases(opened),
    bundle: options.bundle,
    settings,
    native: options.native ?? false,
    tokenKeys,
    localPageKey: process.env.XPEFT_LOCAL_PAGE_KEY || undefined,
    limits,
    observe: watch.observe,
  });
  const { host, port } = options;
  const server = await startServer(platform, { host, port, trustedProxies }).catch(
    explainPort(host, port, "--port, --host"),
  );
  watch.metrics?.addService(platform);
  // The processes of --workers hand theirs to their parent.
  if (watch.metrics && cluster.isPrimary) await listenForMetrics(options, watch.metrics.text);
  return {
    port: server.port,
    async stop(graceSeconds) {
      await server.stop(graceSeconds);
      await watch.stop();
    },
  };
}

/** Stops a server on the first signal, and the process on the second. */
function stopOnSignal(server: RunningServer, graceSeconds: number): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, async () => {
      await server.stop(graceSeconds);
      process.exit();
    });
  }
}

function announce(options: ServeOptions, port: number): void {
  const url = urlAt(options.host, port);
  const [database = NO_DATABASE] = databasesOf(options);
  console.error(styleText("bold", `\nReady: ${url}/`, { stream: process.stderr }));
  console.error(
    options.demo
      ? `\nThe demo answers without a key:\n\ncurl -s ${url}/v1/predict -H 'content-type: application/json' -d '{"task":"news","profile":"news-000","inputs":"Senate passes bill after long night"}'\n`
      : `\nTo write tasks and to predict, make a key: xpeft keys create --scope predict list learn write admin --database ${database}\n`,
  );
}

async function serve(options: ServeOptions): Promise<void> {
  if (cluster.isWorker) {
    const server = await serveHere(options).catch((error: unknown) => {
      // Otherwise the channel to the parent would keep this process alive.
      cluster.worker?.disconnect();
      throw error;
    });
    stopOnSignal(server, options.grace);
    tellReady(server.port);
    return;
  }
  const env = await prepare(options);
  if (options.workers > 1) {
    // Shows what is missing once, and not for each process.
    await loadOpenTelemetry(process.env);
    await listenForMetrics(options);
    return await runWorkers(options.workers, env, (port) => announce(options, port));
  }
  Object.assign(process.env, env);
  const server = await serveHere(options);
  stopOnSignal(server, options.grace);
  announce(options, server.port);
}

/** `xpeft serve`: serves the app on this machine. */
export function registerServe(program: Command): void {
  program
    .command("serve")
    .description("serve on this machine, without Cloudflare: the API, the playground and the documentation")
    .addOption(
      new Option("--port <port>", `port to listen on, 0 to ${MAX_PORT}; 0 takes any free one`)
        .env("XPEFT_PORT")
        .default(8787)
        .argParser(parseWholeNumber(0, MAX_PORT)),
    )
    .addOption(
      new Option("--host <address>", "address to listen on; 0.0.0.0 answers other machines too")
        .env("XPEFT_HOST")
        .default("127.0.0.1"),
    )
    .addOption(
      new Option(
        "--database <url...>",
        `database: file:PATH, or libsql://HOST; several hold parts of the profiles; ${NO_DATABASE} for profile tokens alone (default: ${DATABASE}, with --demo ${DEMO_DATABASE}, env: XPEFT_DATABASE)`,
      ),
    )
    .addOption(bundleOption().env("XPEFT_BUNDLE"))
    .option("--demo", "write the demo's tasks into the database, and let anyone predict")
    .option("--native", "read texts by native ONNX Runtime, of the package onnxruntime-node")
    .addOption(
      new Option("--workers <n>", "processes that share the port, about one a core; Node and Bun only")
        .env("XPEFT_WORKERS")
        .default(1)
        .argParser(parseWholeNumber(1, MAX_WORKERS)),
    )
    .addOption(
      new Option("--metrics-port <port>", "port for Prometheus, which reads /metrics there; off by default")
        .env("XPEFT_METRICS_PORT")
        .argParser(parseWholeNumber(0, MAX_PORT)),
    )
    .addOption(
      new Option("--grace <seconds>", "most seconds that requests may take to end after a signal")
        .default(30)
        .argParser(parseWholeNumber(0)),
    )
    .addHelpText("after", HELP)
    .action((options: ServeOptions) => serve(withDatabaseFrom(process.env, options)));
}

/** Adds the databases that the environment names, if the options name none. */
function withDatabaseFrom({ XPEFT_DATABASE }: NodeJS.ProcessEnv, options: ServeOptions): ServeOptions {
  if (options.database || !XPEFT_DATABASE) return options;
  return { ...options, database: XPEFT_DATABASE.split(/\s+/) };
}
