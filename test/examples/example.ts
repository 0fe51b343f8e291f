import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/d1";
import { expect } from "vitest";
import type { TestHarnessOptions } from "wrangler";
import { wrangler } from "../../scripts/install.mjs";
import type { Scope } from "../../src/auth/access.ts";
import { generateKey } from "../../src/auth/api-keys.ts";
import { createKeyStore } from "../../src/auth/key-store.ts";
import { type DemoTask, pushDemo } from "../support/demo.ts";
import { freePort, interrupt, start } from "../support/processes.ts";
import { makeTempFolder, removeTempFolder } from "../support/temp-folders.ts";
import { startWorker } from "../support/worker.ts";

/** The folder, and the name, of an example with a Worker. */
type ExampleName = "feed" | "inbox" | "moderation";

/** An example's answer to a request. The body is parsed if it is JSON. */
interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly bookmark: string | null;
  readonly body: unknown;
}

/** Sends JSON to an example, or a text as it is. */
type Post = (path: string, body: unknown, headers?: Record<string, string>) => Promise<Answer>;

/** A running example. */
export interface RunningExample {
  readonly post: Post;
  close(): Promise<void>;
}

/** An example beside the Worker. */
export interface BoundExample extends RunningExample {
  /** Forgets the requests so far. */
  clearRequests(): void;
  /** Returns the Worker's log: a line for each request of the example. */
  requests(): unknown[];
}

interface ExampleOptions {
  /** The scopes of the example's key; `predict` by default. */
  readonly scopes?: readonly Scope[];
  /** The example's variables, if they differ from its wrangler.toml. */
  readonly vars?: Extract<TestHarnessOptions["workers"][number], { configPath: unknown }>["vars"];
}

/** The problem of an example whose service is away. */
export const NO_ANSWER = {
  status: 502,
  type: "application/problem+json",
  body: {
    status: 502,
    code: "no_answer",
    detail: expect.stringContaining("answered 503"),
    hint: "Check that the Worker xpeft-edge runs.",
  },
};

const configOf = (name: ExampleName) => join("examples", name, "wrangler.toml");

/** The parts that responses of wrangler's own fetch and of the global one have in common. */
interface AnyResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

async function answerOf(response: AnyResponse): Promise<Answer> {
  const type = response.headers.get("content-type");
  const text = await response.text();
  const bookmark = response.headers.get("x-d1-bookmark");
  return { status: response.status, type, bookmark, body: type?.includes("json") ? JSON.parse(text) : text };
}

const requestOf = (body: unknown, headers: Record<string, string> = {}) => ({
  method: "POST",
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers },
});

/** Starts an example beside the Worker, whose database has a task of the demo. The Worker accepts nobody without a key. */
export async function startExample(
  name: ExampleName,
  task: DemoTask,
  { scopes = ["predict"], vars = {} }: ExampleOptions = {},
): Promise<BoundExample> {
  // The example has its key before there is a database.
  const { key, row } = await generateKey({ name, scopes, task: null, profilePrefix: "", expiresAt: null });
  const example = { configPath: configOf(name), secrets: { XPEFT_KEY: key }, vars };
  // A cached row stays stale for longer than a test takes.
  const worker = await startWorker({ vars: { PUBLIC_PREDICT: "false", CACHE_TTL_SECONDS: "3600" }, beside: [example] });
  await createKeyStore(drizzle(worker.db)).add(row);
  await pushDemo(worker, task);
  return {
    post: async (path, body, headers) =>
      answerOf(await worker.harness.getWorker(name).fetch(path, requestOf(body, headers))),
    clearRequests: () => worker.harness.clearLogs(),
    requests: () => worker.harness.getLogs().map(({ message }) => JSON.parse(message)),
    close: () => worker.close(),
  };
}

/** Starts an example as its users do, but without the service that it is bound to. */
export async function startAlone(name: ExampleName): Promise<RunningExample> {
  const folder = await makeTempFolder("xpeft-example-");
  const port = String(await freePort());
  const url = `http://localhost:${port}`;
  // Two Workers that start at the same time may choose the same port for the inspector.
  const ports = ["--port", port, "--inspector-port", String(await freePort())];
  const args = ["dev", "--config", configOf(name), "--persist-to", folder, ...ports];
  // wrangler connects the Workers of a registry; in this one there is no other.
  const env = { WRANGLER_REGISTRY_PATH: folder, XPEFT_KEY: "none" };
  const { child } = start([wrangler, ...args, "--show-interactive-dev-session=false"], { env });
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  await expect.poll(answers).toBe(true);
  return {
    post: async (path, body, headers) => answerOf(await fetch(`${url}${path}`, requestOf(body, headers))),
    async close() {
      await interrupt(child);
      await removeTempFolder(folder);
    },
  };
}

/** Returns the number of lines of an example's Worker. */
export async function linesOf(name: ExampleName): Promise<number> {
  return (await readFile(join("examples", name, "index.ts"), "utf8")).split("\n").length;
}
