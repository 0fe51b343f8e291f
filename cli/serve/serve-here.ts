import cluster from "node:cluster";
import { libsqlDatabases } from "../../node/server/databases.ts";
import { serverPlatform } from "../../node/server/platform.ts";
import { type RunningServer, startServer } from "../../node/server/server.ts";
import { startWatch } from "../../node/server/watch.ts";
import { listenForMetrics } from "./metrics.ts";
import { databasesOf, type ServeOptions } from "./options.ts";
import { explainPort } from "./port.ts";
import { environmentOf, openDatabases } from "./prepare.ts";

/** Serves in this process. */
export async function serveHere(options: ServeOptions): Promise<RunningServer> {
  const { settings, tokenKeys, databaseToken, limits, trustedProxies } = environmentOf(options);
  const opened = await openDatabases(databasesOf(options, process.env), databaseToken);
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
  // The processes of --workers hand theirs to their parent. Before the server listens: a port in use must end the start.
  if (watch.metrics && cluster.isPrimary) await listenForMetrics(options, watch.metrics.text);
  const { host, port } = options;
  const server = await startServer(platform, { host, port, trustedProxies }).catch(
    explainPort(host, port, "--port, --host"),
  );
  watch.metrics?.addService(platform);
  return {
    port: server.port,
    async stop(graceSeconds) {
      await server.stop(graceSeconds);
      await watch.stop();
      // The last connection to a file moves what was written into it; else it would stay in another file beside it.
      for (const { client } of opened) client.close();
    },
  };
}
