import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, waitForResponse } from "./processes.ts";
import { findProgram } from "./programs.ts";

/** The path of this machine's Prometheus; undefined if none runs. */
export const prometheusPath = findProgram("prometheus");

/** A sample of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A running Prometheus. */
export interface Prometheus {
  /** Evaluates an expression. @throws Error with what Prometheus says if it is wrong */
  query(expression: string): Promise<Sample[]>;
  stop(): Promise<void>;
}

/** Starts a Prometheus that scrapes a server every second, under the job `xpeft`. */
export async function startPrometheus(folder: string, scraped: number): Promise<Prometheus> {
  const config = join(folder, "prometheus.yml");
  const job = { job_name: "xpeft", static_configs: [{ targets: [`localhost:${scraped}`] }] };
  // JSON is YAML.
  await writeFile(config, JSON.stringify({ global: { scrape_interval: "1s" }, scrape_configs: [job] }));
  const port = await freePort();
  const options = {
    "config.file": config,
    "storage.tsdb.path": join(folder, "tsdb"),
    "web.listen-address": `:${port}`,
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child: ChildProcess = spawn(prometheusPath ?? "", args, { stdio: "ignore" });
  const url = `http://localhost:${port}`;
  await waitForResponse(`${url}/-/ready`);
  return {
    async query(expression) {
      const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
      const body = (await response.json()) as {
        error?: string;
        data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      if (!body.data) throw new Error(`${expression}: ${body.error}`);
      return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async stop() {
      const closed = once(child, "close");
      child.kill();
      await closed;
    },
  };
}
