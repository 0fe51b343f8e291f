import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunningWorker } from "../support/worker.ts";

/** What happens to requests of the API: they wait, are answered by an error, or find nobody. */
export type Trouble = "slow" | "failing" | "full" | "away";

/** A server in front of the Worker, through which the page reaches it. */
export interface TroubledProxy {
  readonly origin: string;
  /** The trouble with requests of the API; null for none. */
  trouble: Trouble | null;
  /** How many of the next fan-outs break off after some thousand lines. */
  cuts: number;
  /** Lets slow requests go on. */
  release(): void;
  close(): void;
}

const CUT_AFTER_BYTES = 200_000;
const CUT_AFTER_MS = 50;

const problem = (response: ServerResponse, status: number, code: string, detail: string, retryAfter: string) => {
  response.writeHead(status, { "content-type": "application/problem+json", "retry-after": retryAfter });
  response.end(JSON.stringify({ code, detail, hint: "Try again." }));
};

/** Starts a proxy. */
export async function startProxy(worker: RunningWorker): Promise<TroubledProxy> {
  let waiting: (() => void)[] = [];
  const server = createServer((incoming, response) => {
    const pass = () => {
      const { hostname, port } = worker.url;
      const { method = "GET", url: path = "/", headers } = incoming;
      const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        if (path !== "/v1/fanout" || proxy.cuts === 0) return answer.pipe(response);
        proxy.cuts--;
        let bytes = 0;
        answer.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          response.write(chunk);
          // The browser may drop what arrives right before the end.
          if (bytes > CUT_AFTER_BYTES) setTimeout(() => response.destroy(), CUT_AFTER_MS);
        });
        return answer;
      });
      outgoing.on("error", () => response.destroy());
      response.on("close", () => outgoing.destroy());
      incoming.pipe(outgoing);
    };
    const { trouble } = proxy;
    if (trouble === null || !incoming.url?.startsWith("/v1/")) return pass();
    if (trouble === "slow") waiting.push(pass);
    if (trouble === "failing") problem(response, 503, "database_unavailable", "The database is away.", "1");
    if (trouble === "full") problem(response, 429, "rate_limited", "Too many requests.", "1");
    if (trouble === "away") incoming.socket.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const proxy: TroubledProxy = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    trouble: null,
    cuts: 0,
    release() {
      proxy.trouble = null;
      for (const pass of waiting) pass();
      waiting = [];
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}
