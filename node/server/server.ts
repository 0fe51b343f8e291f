import type { IncomingMessage, Server, ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { createApp } from "../../app/app.ts";
import type { Lifetime, Platform } from "../../app/platform/platform.ts";
import { serviceOf } from "../../app/service/service.ts";

/** Longer than balancers keep an idle connection (60 s): else a request may meet a connection that is being closed. */
const KEEP_ALIVE_MS = 75_000;

const CLOSE_IDLE_MS = 100;

/** Where a server listens, and how callers reach it. */
export interface Listening {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Number of proxies between callers and the server that add to X-Forwarded-For. */
  readonly trustedProxies: number;
}

/** A server that answers. */
export interface RunningServer {
  readonly port: number;
  /** Stops accepting, and resolves when all requests and their work have ended, or after the seconds. */
  stop(graceSeconds: number): Promise<void>;
}

/** Node's defaults are less than the app promises. */
const SERVER_OPTIONS: ServerOptions = {
  keepAliveTimeout: KEEP_ALIVE_MS,
  // As Cloudflare's: a profile token may have 96 KiB.
  maxHeaderSize: 128 * 1024,
  // A stream has no limit; the app times other bodies itself.
  requestTimeout: 0,
};

/**
 * Returns a caller's network address: that of the connection, or what the outermost trusted proxy saw.
 *
 * @param trustedProxies those who call from further away could write anything into X-Forwarded-For
 */
function addressOf({ headers, socket }: Pick<IncomingMessage, "headers" | "socket">, trustedProxies: number): string {
  const connection = socket.remoteAddress ?? "unknown";
  if (trustedProxies === 0) return connection;
  const seen = String(headers["x-forwarded-for"] ?? "").split(",");
  return seen.at(-trustedProxies)?.trim() || connection;
}

/** Work that goes on after its answer. */
function createLifetime() {
  const pending = new Set<Promise<unknown>>();
  const lifetime: Lifetime = {
    waitUntil(promise) {
      const settled = promise.then(
        () => {},
        () => {},
      );
      pending.add(settled);
      void settled.then(() => pending.delete(settled));
    },
  };
  return { lifetime, ended: () => Promise.all(pending) };
}

/**
 * Loads the engine and serves the app over HTTP.
 *
 * @throws XpeftError if the bundle cannot be served
 * @throws Error with `code`, such as EADDRINUSE, if the server cannot listen
 */
export async function startServer(
  platform: Platform,
  { host, port, trustedProxies }: Listening,
): Promise<RunningServer> {
  const app = createApp();
  const { lifetime, ended } = createLifetime();
  await serviceOf(platform, lifetime);
  const context = { ...lifetime, passThroughOnException() {}, props: {} };
  let isStopping = false;
  const server = createAdaptorServer({
    serverOptions: SERVER_OPTIONS,
    fetch(request, { incoming, outgoing }) {
      // The caller asks another server next.
      if (isStopping) (outgoing as HttpBindings["outgoing"]).shouldKeepAlive = false;
      const callerAddress = addressOf(incoming as HttpBindings["incoming"], trustedProxies);
      return app.fetch(request, { platform, callerAddress }, context);
    },
  }) as Server;
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen({ port, host }, () => listening.resolve());
  await listening.promise;
  return {
    port: (server.address() as AddressInfo).port,
    async stop(graceSeconds) {
      isStopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Connections that are busy now are idle later, and stay open then.
      setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_MS).unref();
      const late = new Promise<void>((resolve) => setTimeout(resolve, graceSeconds * 1000).unref());
      await Promise.race([closed.then(ended), late]);
    },
  };
}
