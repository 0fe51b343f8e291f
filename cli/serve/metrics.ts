import { explainPort, urlAt } from "./port.ts";

interface MetricsOptions {
  readonly metricsHost: string;
  readonly metricsPort?: number;
}

/**
 * Serves metrics on their own port, and says where. Without such a port nothing is loaded.
 *
 * @param text returns the metrics; by default those of all processes that this one starts from now on
 * @throws CommandError if the port cannot be opened
 */
export async function listenForMetrics(
  { metricsHost: host, metricsPort: port }: MetricsOptions,
  text?: () => Promise<string>,
): Promise<void> {
  if (port === undefined) return;
  const { listenForScrapes } = await import("../../node/server/metrics/listen.ts");
  const read = text ?? (await import("../../node/server/metrics/metrics.ts")).collectFromWorkers();
  const opened = await listenForScrapes(read, { host, port }).catch(
    explainPort(host, port, "--metrics-port, --metrics-host"),
  );
  console.error(`Metrics: ${urlAt(host, opened)}/metrics`);
}
