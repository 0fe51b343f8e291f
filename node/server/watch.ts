import type { Platform } from "../../app/platform/platform.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { loadOpenTelemetry } from "./traces/packages.ts";
import type { Traces } from "./traces/traces.ts";

/** What watches the requests of this process. */
export interface Watch {
  readonly observe: Platform["observe"];
  /** Null if nobody asked for metrics. */
  readonly metrics: Metrics | null;
  /** Sends what waits to be sent. */
  stop(): Promise<void>;
}

/**
 * Starts metrics and traces. What is off is not even loaded.
 *
 * @param wantsMetrics traces are on if OpenTelemetry's variables say where they go
 * @throws CommandError if traces are on, and their packages are missing or a variable is wrong
 */
export async function startWatch(wantsMetrics: boolean, env: NodeJS.ProcessEnv): Promise<Watch> {
  const metrics = wantsMetrics ? (await import("./metrics/metrics.ts")).startMetrics() : null;
  const packages = await loadOpenTelemetry(env);
  const traces: Traces | null = packages && (await import("./traces/traces.ts")).startTraces(packages, env);
  const observers = [metrics, traces].flatMap((one) => one?.observe ?? []);
  return {
    observe(...seen) {
      for (const observe of observers) observe(...seen);
    },
    metrics,
    async stop() {
      await traces?.stop().catch((error: Error) => {
        const message = `The last traces were not sent: ${error.message}`;
        console.error(JSON.stringify({ level: "error", message }));
      });
    },
  };
}
