import cluster, { type Worker } from "node:cluster";
import { RateLimiterClusterMaster } from "rate-limiter-flexible";
import { CommandError } from "../errors.ts";

/** A process that ends sooner than this after its start is not started again at once. */
const SHORT_LIFE_MS = 5000;

/** How often processes may end so soon, one after the other, until the parent gives up. */
const MOST_SHORT_LIVES = 5;

/** What a child tells its parent. */
type Message = { readonly ready: number };

const isReady = (message: unknown): message is Message =>
  typeof message === "object" && message !== null && "ready" in message;

/**
 * Runs this program again in so many processes, which share its port, until a signal. A process that dies is replaced.
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
  let stopping: NodeJS.Signals | undefined;

  function start(): void {
    const worker = cluster.fork(env);
    started.set(worker, Date.now());
    worker.on("message", (message: unknown) => {
      if (!isReady(message)) return;
      ready.add(worker);
      shortLives = 0;
      if (ready.size < count || hasBeenReady) return;
      hasBeenReady = true;
      onReady(message.ready);
    });
  }

  function stop(signal: NodeJS.Signals): void {
    stopping = signal;
    for (const worker of started.keys()) worker.process.kill(signal);
  }

  cluster.on("exit", (worker) => {
    const life = Date.now() - (started.get(worker) ?? 0);
    started.delete(worker);
    ready.delete(worker);
    if (stopping) return started.size === 0 ? resolve() : undefined;
    if (life < SHORT_LIFE_MS) shortLives++;
    if (shortLives < MOST_SHORT_LIVES && hasBeenReady) return start();
    stop("SIGTERM");
    // What went wrong is on standard error already.
    reject(
      new CommandError("The server's processes end right after their start.", "Fix the cause that is shown above."),
    );
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  for (let number = 0; number < count; number++) start();
  await ended;
}

/** Tells the parent that this process answers. */
export const tellReady = (port: number): void => void process.send?.({ ready: port } satisfies Message);
