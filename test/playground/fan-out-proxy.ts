import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunningWorker } from "../support/worker.ts";

/** A server in front of the Worker's fan-out that cuts answers off. */
export interface FanOutProxy {
  readonly url: string;
  /** What the next answers do after some lines. If the connection breaks, the browser may drop the last lines. */
  cuts: { readonly lines: number; readonly how: "break" | "end" | "wait" }[];
  /** Answers that wait, and whose request was cancelled. */
  readonly cancelled: number;
  close(): void;
}

export async function startFanOutProxy(worker: RunningWorker): Promise<FanOutProxy> {
  const server = createServer(async (request, response) => {
    const { authorization = "", "content-type": type = "", "if-match": ifMatch } = request.headers;
    const headers = { authorization, "content-type": type, ...(ifMatch !== undefined && { "if-match": ifMatch }) };
    const body = String(Buffer.concat(await request.toArray()));
    const answer = await worker.request("POST", "/v1/fanout", { body, headers, key: null });
    const copied = ["content-type", "etag"].map((name) => [name, answer.headers.get(name) ?? ""]);
    response.writeHead(answer.status, Object.fromEntries(copied));
    const lines = (await answer.text()).split(/(?<=\n)/);
    const cut = proxy.cuts.shift();
    if (!cut) return void response.end(lines.join(""));
    if (cut.how === "wait") response.on("close", () => cancelled++);
    response.write(lines.slice(0, cut.lines).join(""), () => {
      if (cut.how === "break") response.destroy();
      if (cut.how === "end") response.end();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  let cancelled = 0;
  const proxy: FanOutProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    cuts: [],
    get cancelled() {
      return cancelled;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return proxy;
}
