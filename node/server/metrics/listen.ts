import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { prometheusContentType } from "@prometheus-io/client";

/**
 * Serves `/metrics` over HTTP for as long as something else keeps the process alive.
 *
 * @param text returns the metrics in Prometheus' text format
 * @returns the port
 * @throws Error with `code`, such as EADDRINUSE, if the server cannot listen
 */
export async function listenForScrapes(
  text: () => Promise<string>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  const server = createServer(async ({ method, url = "" }, response) => {
    if (method !== "GET" || url.split("?")[0] !== "/metrics") return response.writeHead(404).end("GET /metrics\n");
    try {
      const body = await text();
      response.writeHead(200, { "content-type": prometheusContentType }).end(body);
    } catch (error) {
      // A process that computes for seconds cannot answer its parent. Prometheus asks again.
      response.writeHead(503).end(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  });
  // A process whose requests, or whose processes, have ended must not go on for its metrics.
  server.unref();
  server.on("connection", (socket) => socket.unref());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port, exclusive: true }, resolve);
  await promise;
  return (server.address() as AddressInfo).port;
}
