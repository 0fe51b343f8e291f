import cluster, { type Worker } from "node:cluster";
import { setTimeout as sleep } from "node:timers/promises";
import { RateLimiterClusterMaster } from "rate-limiter-flexible";
import { CommandError } from "../errors.ts";
import type { RunningServer } from "./server.ts";

/** A process that ends sooner than this after its start is not started again at once. */
const SHORT_LIFE_MS = 5000;

/** How often processes may end so soon, one after the other, until the parent gives up. */
const MOST_SHORT_LIVES = 5;

/** The wait before a process starts in place of one that ended soon, times how many did so in a row before it. */
const RESTART_MS = 1000;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What a process tells its parent: the port on which it answers. */
interface Ready {
  readonly ready: number;
}

/** What the parent tells a process: to end its requests, then itself. */
const STOP = "stop";

const isReady = (message: unknown): message is Ready =>
  typeof message === "object" && message !== null && "ready" in message;

/**
 * Runs this program again in so many processes, which share its port, until a signal. A process that dies is replaced. A
 * second signal ends the processes at once.
 *
 * @param count of the processes
 * @param env further environment variables of theirs
 * @param onReady is called with the port when all of them answer for the first time
 * @returns when all have ended
 * @throws CommandError if they cannot start, or this runtime cannot share a port
 */
export async function runWorkers(
  count: number,
  env: NodeJS.ProcessEnv,
  onReady: (port: number) => void,
): Promise<void> {
  if (typeof cluster.fork !== "function" || "Deno" in globalThis) {
    throw new CommandError(
      "This runtime cannot share a port among processes.",
      "Start one server a port behind a balancer, or run it with Node: --workers",
    );
  }
  // Processes accept connections themselves: one that the parent hands to a process that dies would hang for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  // Keeps the counts of all processes, which ask for them.
  new RateLimiterClusterMaster();
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const started = new Map<Worker, number>();
  const ready = new Set<Worker>();
  let shortLives = 0;
  let hasBeenReady = false;
  let stopping = false;

  function start(): void {
    if (stopping) return;
    const worker = cluster.fork(env);
    started.set(worker, Date.now());
    worker.on("message", (message: unknown) => {
      if (!isReady(message)) return;
      ready.add(worker);
      if (ready.size < count || hasBeenReady) return;
      hasBeenReady = true;
      onReady(message.ready);
    });
  }

  function stop(): void {
    // Processes get no signal from here: a terminal and systemd send theirs to all of them already.
    for (const worker of started.keys()) {
      if (stopping) worker.process.kill("SIGKILL");
      // One that is ending by itself has no channel any more.
      else worker.process.send?.(STOP, () => {});
    }
    stopping = true;
    if (started.size === 0) resolve();
  }

  cluster.on("exit", async (worker, code, signal) => {
    const life = Date.now() - (started.get(worker) ?? 0);
    started.delete(worker);
    ready.delete(worker);
    if (stopping) return started.size === 0 ? resolve() : undefined;
    shortLives = life < SHORT_LIFE_MS ? shortLives + 1 : 0;
    if (shortLives < MOST_SHORT_LIVES && hasBeenReady) {
      const message = `A process ended with ${signal ?? `code ${code}`}. Another one takes its place.`;
      console.error(JSON.stringify({ level: "error", message }));
      await sleep(RESTART_MS * Math.max(0, shortLives - 1));
      return start();
    }
    stop();
    // What went wrong is on standard error already.
    reject(
      new CommandError("The server's processes end right after their start.", "Fix the cause that is shown above."),
    );
  });
  for (const signal of SIGNALS) process.on(signal, stop);
  for (let number = 0; number < count; number++) start();
  await ended;
}

/**
 * Serves in a process of {@link runWorkers}, until the parent says that it is to end.
 *
 * @param graceSeconds most seconds that requests may take to end
 */
export async function serveForParent(serve: () => Promise<RunningServer>, graceSeconds: number): Promise<void> {
  for (const signal of SIGNALS) process.on(signal, () => {});
  const told = Promise.withResolvers<void>();
  process.on("message", (message) => {
    if (message === STOP) told.resolve();
  });
  const server = await serve().catch((error: unknown) => {
    // Otherwise the channel to the parent would keep this process alive.
    cluster.worker?.disconnect();
    throw error;
  });
  process.send?.({ ready: server.port } satisfies Ready);
  await told.promise;
  await server.stop(graceSeconds);
  process.exit();
}
