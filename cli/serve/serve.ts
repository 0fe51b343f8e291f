import cluster from "node:cluster";
import { styleText } from "node:util";
import { type Command, Option } from "commander";
import { VARIABLES } from "../../node/server/configuration.ts";
import type { RunningServer } from "../../node/server/server.ts";
import { loadOpenTelemetry } from "../../node/server/traces/packages.ts";
import { runWorkers, serveForParent } from "../../node/server/workers.ts";
import { parseWholeNumber } from "../arguments.ts";
import { bundleOption } from "../bundle-option.ts";
import { exampleText, expandCommands } from "../command-line.ts";
import { listenForMetrics } from "./metrics.ts";
import { DATABASE, DEMO_DATABASE, databasesOf, NO_DATABASE, type ServeOptions } from "./options.ts";
import { urlAt } from "./port.ts";
import { prepare } from "./prepare.ts";
import { serveHere } from "./serve-here.ts";

const MAX_PORT = 65_535;
const MAX_WORKERS = 256;

const width = Math.max(...VARIABLES.map(({ name }) => name.length));

const HELP = `
Environment variables:
${VARIABLES.map(({ name, meaning, standard }) => `  ${name.padEnd(width)}  ${meaning} (default: ${standard})`).join("\n")}

OTEL_EXPORTER_OTLP_ENDPOINT, and OpenTelemetry's other variables, turn traces on (docs/operations.md).

The server applies missing migrations to its databases when it starts. On SIGTERM it ends its requests, then itself.
${exampleText("serve --demo", "serve --database file:/data/xpeft.db --host 0.0.0.0 --workers 4")}`;

/** Stops a server on the first signal, and the process on the second. */
function stopOnSignal(server: RunningServer, graceSeconds: number): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, async () => {
      await server.stop(graceSeconds);
      process.exit();
    });
  }
}

/** Returns what to do with a server that answers. */
function nextStep({ demo }: ServeOptions, url: string, database: string | undefined): string {
  if (database === undefined) return "It answers profile tokens that carry their task.";
  if (demo)
    return `The demo answers without a key:\n\ncurl -s ${url}/v1/predict -H 'content-type: application/json' -d '{"task":"news","profile":"news-000","inputs":"Senate passes bill after long night"}'`;
  const scopes = "predict list learn learn-task write admin";
  return expandCommands(
    `To write tasks and to predict, make a key: xpeft keys create --scope ${scopes} --database ${database}`,
  );
}

function announce(options: ServeOptions, port: number): void {
  const url = urlAt(options.host, port);
  const [database] = databasesOf(options, process.env);
  console.error(styleText("bold", `\nReady: ${url}/`, { stream: process.stderr }));
  console.error(`\n${nextStep(options, url, database)}\n`);
}

/** Variables of the server that are no defaults of options, and those of commands that talk to it. */
const OTHER_VARIABLES = [...VARIABLES.map(({ name }) => name), "XPEFT_DATABASE", "XPEFT_URL", "XPEFT_KEY"];

/** Names the variables that nothing reads: somebody expects them to do something. */
function warnOfUnknownVariables({ options }: Command): void {
  const known = new Set([...OTHER_VARIABLES, ...options.map(({ envVar }) => envVar)]);
  const unknown = Object.keys(process.env).filter((name) => name.startsWith("XPEFT_") && !known.has(name));
  if (unknown.length === 0) return;
  const message = `The server does not read ${unknown.join(", ")}. xpeft serve --help lists what it reads.`;
  console.error(expandCommands(message));
}

async function serve(options: ServeOptions, command: Command): Promise<void> {
  if (cluster.isWorker) return await serveForParent(() => serveHere(options), options.grace);
  warnOfUnknownVariables(command);
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
      new Option("--metrics-host <address>", "address of that port; whoever reaches it reads the metrics without a key")
        .env("XPEFT_METRICS_HOST")
        .default("127.0.0.1"),
    )
    .addOption(
      new Option("--grace <seconds>", "most seconds that requests may take to end after a signal")
        .default(30)
        .argParser(parseWholeNumber(0)),
    )
    .addHelpText("after", HELP)
    .action(serve);
}
