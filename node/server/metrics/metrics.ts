import { ClusterRegistry, collectDefaultMetrics } from "@prometheus-io/client";
import type { Platform } from "../../../app/platform/platform.ts";
import { serviceOf } from "../../../app/service/service.ts";
import { addRequestMetrics } from "./requests.ts";
import { addServiceMetrics } from "./service.ts";

/** The metrics of this process. */
export interface Metrics {
  readonly observe: Platform["observe"];
  /** Adds the metrics of a platform's service. */
  addService(platform: Platform): void;
  /** Returns the metrics of this process in Prometheus' text format. */
  text(): Promise<string>;
}

/** Starts to count, in a registry that hands its metrics to the parent of a process of `--workers`. */
export function startMetrics(): Metrics {
  const registry = new ClusterRegistry();
  ClusterRegistry.setRegistries(registry);
  collectDefaultMetrics({ register: registry });
  return {
    observe: addRequestMetrics(registry),
    addService: (platform) => addServiceMetrics(registry, () => serviceOf(platform, { waitUntil() {} })),
    text: () => registry.metrics(),
  };
}

/**
 * Starts to collect the metrics of the processes that this one starts. Call it before they start.
 *
 * @returns what sums them up, with this process's memory and processor time
 */
export function collectFromWorkers(): () => Promise<string> {
  const registry = new ClusterRegistry();
  ClusterRegistry.setRegistries(registry);
  collectDefaultMetrics({ register: registry });
  return () => registry.clusterMetrics();
}
